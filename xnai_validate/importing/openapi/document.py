"""An OpenAPI document of a url or a file: read within bounds, its references within it followed."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urljoin, urlsplit

from xnai_validate.config.yaml_files.document import SIZE_CAP
from xnai_validate.config.yaml_files.positions import YamlError
from xnai_validate.config.yaml_files.reader import read_yaml
from xnai_validate.errors import ConfigError, Unmeasurable
from xnai_validate.importing.yaml_documents import read_text
from xnai_validate.model.json import JsonObject, JsonValue
from xnai_validate.model.target import is_absolute
from xnai_validate.wire.content import parse_json
from xnai_validate.wire.failure import WireError
from xnai_validate.wire.http.client import HttpAnswer, HttpClient, HttpRequest

FETCH_S = 10.0
"""How long the document of a url may take."""
REDIRECTS = 5
URL_CAP = 8192
"""Characters of the url of a server, variables filled in."""
REFERENCES_CAP = 20
"""References that are followed one after the other: those of a circle never end."""
DEFAULT_URL = "http://127.0.0.1:8000"
"""Where an API is looked for whose document names no server."""


@dataclass(frozen=True, slots=True)
class ApiDocument:
    """A document of OpenAPI 3."""

    root: JsonObject
    source: str
    """The url or the file that it was read from, without user and password."""

    @property
    def is_served(self) -> bool:
        """Whether it was read from a url, so that checks can read it there too."""
        return is_absolute(self.source)

    @property
    def title(self) -> str:
        """The title of the API; empty without one."""
        title = mapping(self.root.get("info")).get("title")
        return title.strip() if isinstance(title, str) else ""

    def followed(self, node: JsonValue) -> JsonObject:
        """The mapping that a node is, or refers to within the document; empty where a reference leads out of it."""
        for _ in range(REFERENCES_CAP):
            found = mapping(node)
            reference = found.get("$ref")
            if not isinstance(reference, str):
                return found
            node = self._value_at(reference)
        return {}

    def _value_at(self, reference: str) -> JsonValue:
        """Return what a reference within the document points to; None if it points nowhere."""
        if not reference.startswith("#"):
            return None
        node: JsonValue = self.root
        for raw in unquote(reference[1:]).split("/")[1:]:
            node = mapping(node).get(raw.replace("~1", "/").replace("~0", "~"))
        return node

    def server_urls(self) -> Iterator[str]:
        """The urls of its servers, variables filled in with their defaults; a relative one may be left."""
        servers = self.root.get("servers")
        default: list[JsonValue] = [{"url": "/"}]
        for server in servers if isinstance(servers, list) and servers else default:
            url = mapping(server).get("url")
            if isinstance(url, str):
                yield self._resolve_url(url, mapping(mapping(server).get("variables")))

    def _resolve_url(self, url: str, variables: JsonObject) -> str:
        """Return the url of a server with its variables filled in; empty where it is malformed or too long."""
        for name, variable in variables.items():
            default = str(mapping(variable).get("default", ""))
            if len(url) + url.count(f"{{{name}}}") * len(default) > URL_CAP:
                return ""
            url = url.replace(f"{{{name}}}", default)
        try:
            return urljoin(self.source, url) if self.is_served else url
        except ValueError:
            return ""


@dataclass(frozen=True, slots=True)
class ApiServer:
    """Where the API of a document is reached."""

    url: str
    """Without a slash at its end."""
    remark: str = ""
    """What a person should know about the choice of the url; empty for nothing."""


def server_of(document: ApiDocument) -> ApiServer:
    """The server of a document: at the origin that the document came from, else the first with a whole url."""
    urls = [url.rstrip("/") for url in document.server_urls() if _is_http(url)]
    if document.is_served:
        origin = _origin_of(document.source)
        own = next((url for url in urls if _origin_of(url) == origin), None)
        if own is not None:
            return ApiServer(own)
        if urls:
            return ApiServer(
                origin + urlsplit(urls[0]).path, f"the document names the server {urls[0]}; this is where it came from"
            )
        return ApiServer(origin)
    if urls:
        return ApiServer(urls[0])
    path = next((url for url in document.server_urls() if url.startswith("/")), "").rstrip("/")
    return ApiServer(DEFAULT_URL + path, "the document names no host; correct the url, or name it: --target NAME=URL")


def read_document(source: str) -> ApiDocument:
    """The document of a url or a file, as JSON or YAML. Raises ConfigError for what is none of OpenAPI 3."""
    shown = _without_userinfo(source)
    text = asyncio.run(_fetch(source)) if is_absolute(source) else read_text(Path(source))
    parsed = parse_json(text)
    root = parsed.value if parsed.is_json else _parse_yaml(text, shown)
    if not isinstance(root, dict):
        raise ConfigError(f"{shown} is not an OpenAPI document: it is not a mapping")
    version = root.get("openapi")
    if isinstance(root.get("swagger"), str | float):
        raise ConfigError(f"{shown} is a document of Swagger 2.0", hint="convert it to OpenAPI 3")
    if not re.match(r"3\.\d", str(version)):
        hint = "its first line would be `openapi: 3.1.0`; FastAPI has it at /openapi.json"
        raise ConfigError(f"{shown} is not a document of OpenAPI 3", hint=hint)
    if not mapping(root.get("paths")):
        raise ConfigError(f"{shown} describes no paths")
    return ApiDocument(root, shown)


def mapping(node: JsonValue) -> JsonObject:
    """The mapping that a value is; empty for another one."""
    return node if isinstance(node, dict) else {}


def _parse_yaml(text: str, source: str) -> JsonValue:
    """Parse YAML. Raises ConfigError with the line."""
    try:
        return read_yaml(text.encode("utf-8", "surrogatepass")).value
    except YamlError as error:
        raise ConfigError(f"{source}:{error.line + 1}: {error.message}", hint=error.hint) from None


async def _fetch(url: str) -> str:
    """Fetch a document. Raises ConfigError."""
    shown = _without_userinfo(url)
    try:
        async with HttpClient() as client:
            request = HttpRequest.of(url, headers={"Accept": "application/json, application/yaml, */*;q=0.5"})
            answer = await client.fetch(request, timeout_s=FETCH_S, body_cap=SIZE_CAP, redirects=REDIRECTS)
    except WireError as error:
        raise ConfigError(f"{shown} cannot be read: {error.detail}", hint="save it, and name the file") from None
    except Unmeasurable as error:
        raise ConfigError(f"{shown} cannot be read: {error.message}", hint=error.hint) from None
    return _decode(answer, shown)


def _decode(answer: HttpAnswer, shown: str) -> str:
    """Decode the body of a response. Raises ConfigError unless it is a 200 with UTF-8 text."""
    if answer.head.status != 200:
        hint = "behind a login, save the document and name the file" if answer.head.status in (401, 403) else None
        raise ConfigError(f"{shown} answers with status {answer.head.status}", hint=hint)
    if answer.failure is not None:
        raise ConfigError(f"{shown} cannot be read: {answer.failure.detail}")
    try:
        return answer.body.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ConfigError(f"{shown} is not UTF-8 text") from None


def _is_http(url: str) -> bool:
    """Whether a text is an http or https url."""
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0 and url.isprintable()
    except ValueError:
        return False


def _origin_of(url: str) -> str:
    """Return scheme, host and port of a url."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"


def _without_userinfo(source: str) -> str:
    """Return a url without user and password; a path as it is. Raises ConfigError for a malformed url."""
    if not is_absolute(source):
        return source
    try:
        parts = urlsplit(source)
        return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()
    except ValueError:  # its text may quote the user and the password
        raise ConfigError(
            "the url of the OpenAPI document is malformed", hint="write one such as http://127.0.0.1:8000/openapi.json"
        ) from None
