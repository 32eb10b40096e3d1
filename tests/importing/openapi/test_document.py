"""OpenAPI documents are read from files and urls, within bounds; where their API is reached."""

from __future__ import annotations

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from tests.serving import Quiet, serving
from xnai_validate.errors import ConfigError
from xnai_validate.importing.openapi.document import ApiDocument, ApiServer, read_document, server_of
from xnai_validate.model.json import JsonObject, JsonValue

SMALL = {"openapi": "3.1.0", "info": {"title": " Shop "}, "paths": {"/": {"get": {}}}}
PAGES = {
    "/openapi.json": (200, json.dumps(SMALL).encode()),
    "/deep/openapi.yaml": (200, b"\xef\xbb\xbfopenapi: 3.0.0\npaths: {/: {get: {}}}\nservers: [{url: ../v2}]\n"),
    "/far.json": (200, json.dumps({**SMALL, "servers": [{"url": "https://api.example.org/v1/"}]}).encode()),
    "/login": (401, b""),
    "/large": (200, b" " * (9 << 20)),
    "/binary": (200, b"\xff\xfe"),
}


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """A server of documents."""

    class Pages(Quiet, BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, body = PAGES.get(self.path, (404, b""))
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    with serving(Pages) as address:
        yield address


@pytest.mark.parametrize(
    ("path", "server", "remark"),
    [
        ("/openapi.json", "", ""),
        ("/deep/openapi.yaml", "/v2", ""),
        ("/far.json", "/v1", "the document names the server https://api.example.org/v1; this is where it came from"),
    ],
)
def test_the_server_is_where_the_document_came_from(url: str, path: str, server: str, remark: str) -> None:
    """Relative urls are resolved, and a path of another server is kept; what the document says is remarked."""
    document = read_document(url + path)
    assert server_of(document) == ApiServer(url + server, remark)


def test_user_and_password_of_a_url_are_sent_and_not_kept(url: str) -> None:
    """What is written names the source without them."""
    assert read_document(url.replace("//", "//me:s3cret@") + "/openapi.json").source == f"{url}/openapi.json"


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("/nowhere", "answers with status 404"),
        ("/login", "answers with status 401"),
        ("/large", "is larger than 8388608 bytes"),
        ("/binary", "is not UTF-8 text"),
    ],
)
def test_what_a_server_sends_instead_is_an_error(url: str, path: str, message: str) -> None:
    """The error names the url and what came."""
    with pytest.raises(ConfigError, match=message):
        read_document(url + path)


def test_a_server_that_does_not_answer_is_an_error() -> None:
    """The error is that of the connection."""
    with pytest.raises(ConfigError, match=r"cannot be read: .*refused"):
        read_document("http://127.0.0.1:9/openapi.json")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "it is not a mapping"),
        ("- a", "it is not a mapping"),
        ("{", r"d\.yaml:\d+: "),
        ("swagger: '2.0'\npaths: {/: {get: {}}}", "a document of Swagger 2.0"),
        ("openapi: 2.0.0\npaths: {/: {get: {}}}", "not a document of OpenAPI 3"),
        ("info: {title: x}", "not a document of OpenAPI 3"),
        ("openapi: 3.1.0", "describes no paths"),
        ("openapi: 3.1.0\npaths: {a: " + "[" * 200 + "]" * 200 + "}", "levels deep"),
    ],
)
def test_a_file_that_is_none_is_an_error(tmp_path: Path, text: str, message: str) -> None:
    """Whatever is wrong with it is one sentence, with the line where there is one."""
    path = tmp_path / "d.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match=message):
        read_document(str(path))


@pytest.mark.parametrize(
    ("servers", "server"),
    [
        (
            [{"url": "/v1"}, {"url": "https://{host}/v1/", "variables": {"host": {"default": "a.org"}}}],
            "https://a.org/v1",
        ),
        ([{"url": "/v1"}], "http://127.0.0.1:8000/v1"),
        ([{"url": "http://["}, {"url": "http://:80"}, 7], "http://127.0.0.1:8000"),
        ("none", "http://127.0.0.1:8000"),
    ],
)
def test_the_first_whole_url_of_a_file_is_its_server(servers: object, server: str) -> None:
    """Variables have their defaults; without a host, a place is assumed."""
    document = ApiDocument({**SMALL, "servers": servers}, "openapi.yaml")  # type: ignore[dict-item]
    assert server_of(document).url == server


def test_a_malformed_url_is_an_error() -> None:
    """The user and the password of one are not shown: a character may read as one that ends the host."""
    for url in ("http://[::1", "http://me:hunter2\u2100@h/openapi.json"):
        with pytest.raises(ConfigError, match="the url of the OpenAPI document is malformed") as caught:
            read_document(url)
        assert "hunter2" not in str(caught.value)


def test_the_variables_of_a_server_do_not_multiply() -> None:
    """A url that would have gigabytes is none."""
    variables: JsonObject = {"a": {"default": "x" * 100_000}}
    servers: list[JsonValue] = [{"url": "http://h/" + "{a}" * 50_000, "variables": variables}, {"url": "http://h/v1"}]
    assert server_of(ApiDocument({"servers": servers}, "api.json")).url == "http://h/v1"
