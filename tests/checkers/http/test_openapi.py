"""`http.openapi` against a FastAPI application served by uvicorn, and against documents that are wrong."""

from __future__ import annotations

import asyncio
import copy
import json
import textwrap
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from fastapi import FastAPI
from fastapi.responses import JSONResponse, PlainTextResponse
from pydantic import BaseModel

from tests.checkers.beside import beside
from tests.context import observe
from tests.scripted import Line, ReceivedRequest, ok, scripted
from xnai_validate.kit import Observed, Target, Unmeasurable


class Health(BaseModel):
    """What /health promises."""

    status: str
    version: str
    memory_gb: float | None = None


class Query(BaseModel):
    """What /query takes."""

    query: str


def application() -> FastAPI:
    """Routes that keep their promises, and some that do not."""
    app = FastAPI(title="An API")
    prefix = "/xnai/api/v1"

    @app.get(prefix + "/health")
    def health() -> Health:
        return Health(status="healthy", version="1")

    @app.post(prefix + "/query/{room}")
    def query(room: int, body: Query) -> Health:
        return Health(status=body.query, version=str(room))

    @app.get(prefix + "/liar", response_model=Health)
    def liar() -> JSONResponse:
        return JSONResponse({"version": 1, "memory_gb": "much"})

    @app.get(prefix + "/teapot", response_model=Health)
    def teapot() -> JSONResponse:
        return JSONResponse({}, status_code=418)

    @app.get(prefix + "/plain", response_model=Health)
    def plain() -> PlainTextResponse:
        return PlainTextResponse("healthy")

    return app


@asynccontextmanager
async def _serving() -> AsyncIterator[int]:
    config = uvicorn.Config(application(), port=0, log_level="critical", lifespan="off", ws="none")
    server = uvicorn.Server(config)
    server.install_signal_handlers = lambda: None  # type: ignore[attr-defined]
    config.load()
    server.lifespan = config.lifespan_class(config)
    await server.startup()
    try:
        yield server.servers[0].sockets[0].getsockname()[1]
    finally:
        server.should_exit = True
        await server.shutdown()


@pytest.fixture(name="target", scope="module")
def _target() -> Iterator[Target]:
    with beside(_serving) as port:
        yield Target("api", f"http://127.0.0.1:{port}/xnai/api/v1")


def test_a_document_and_the_answers_that_keep_it(target: Target) -> None:
    """A valid document with all expected operations, and responses that match it, hold every rule of the kind."""
    seen = observe(
        "http.openapi",
        target,
        operations=["GET /health", "POST /query/{id}", "GET /xnai/api/v1/liar"],
        calls=[
            {"path": "/health"},
            {"method": "POST", "path": "/query/7", "json": {"query": "x"}},
            {"method": "POST", "path": "/query/7", "json": {"wrong": 1}, "status": 422},
        ],
    )
    assert seen.held, seen.findings
    assert seen.facts["valid"]
    assert seen.facts["version"].startswith("3.1")
    assert "GET /xnai/api/v1/health" in seen.facts["operations"]
    assert (seen.facts["operation_count"], seen.facts["calls"]) == (5, 3)


@pytest.mark.parametrize(
    ("call", "messages"),
    [
        ({"path": "/liar"}, ["GET /liar 200: $.version: 1 is not of type 'string'", "'status' is a required property"]),
        ({"path": "/teapot"}, ["GET /teapot 418: this status is not declared; declared are 200"]),
        ({"path": "/plain"}, ["GET /plain 200: content type text/plain is not declared"]),
        ({"path": "/nowhere"}, ["GET /nowhere 404: no such operation is described"]),
        ({"path": "/health", "status": 503}, ["GET /health 200: the status should be 503"]),
        (
            {"path": "/query/x", "method": "POST", "json": {"query": ""}, "status": 200},
            ["422: the status should be 200"],
        ),
    ],
)
def test_every_way_to_break_the_contract_is_reported(target: Target, call: dict[str, Any], messages: list[str]) -> None:
    """Undeclared statuses, content types and operations, and bodies that do not fit, are named with their place."""
    facts = observe("http.openapi", target, calls=[call]).facts
    for text in messages:
        assert any(text in fault for fault in facts["nonconforming"]), facts["nonconforming"]


def test_missing_operations_are_named(target: Target) -> None:
    """An operation is its method and its path; neither alone is enough."""
    facts = observe("http.openapi", target, operations=["GET /health", "DELETE /health", "GET /healthz"]).facts
    assert facts["missing_operations"] == ["DELETE /health", "GET /healthz"]


def _described(document: object) -> Observed:
    with scripted(ok(json.dumps(document).encode(), "Content-Type: application/json")) as server:
        return observe("http.openapi", Target("api", server.url()))


GOOD: dict[str, Any] = {
    "openapi": "3.0.3",
    "info": {"title": "x", "version": "1"},
    "paths": {
        "/items/{id}": {
            "get": {
                "operationId": "item",
                "parameters": [{"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}],
                "responses": {"2XX": {"$ref": "#/components/responses/Item"}},
            }
        }
    },
    "components": {
        "responses": {
            "Item": {"description": "", "content": {"application/*": {"schema": {"$ref": "#/components/schemas/Item"}}}}
        },
        "schemas": {"Item": {"type": "object", "properties": {"name": {"type": "string", "nullable": True}}}},
    },
}


def _broken(change: str) -> dict[str, Any]:
    document = copy.deepcopy(GOOD)
    get = document["paths"]["/items/{id}"]["get"]
    if change == "dangling":
        get["responses"]["2XX"]["$ref"] = "#/components/responses/None"
    elif change == "foreign":
        get["responses"]["2XX"]["$ref"] = "http://127.0.0.1:1/x.json"
    elif change == "undeclared parameter":
        get["parameters"] = []
    elif change == "no info":
        del document["info"]
    elif change == "unknown version":
        document["openapi"] = "9.0.0"
    elif change == "path item is a number":
        document["paths"]["/items/{id}"] = 5
    return document


def test_a_right_document_is_valid() -> None:
    """The one that the others differ from by one error."""
    assert _described(GOOD).facts["valid"] is True
    assert _described({**GOOD, "openapi": "3.2.0"}).facts["valid"] is True


@pytest.mark.parametrize(
    "change", ["dangling", "foreign", "undeclared parameter", "no info", "unknown version", "path item is a number"]
)
def test_a_wrong_document_is_not_valid(change: str) -> None:
    """Each error makes the document invalid and is described, and none ends in an exception."""
    seen = _described(_broken(change))
    assert seen.facts["valid"] is False
    assert seen.facts["problems"]
    assert not seen.held


def test_openapi_3_0_has_its_own_dialect() -> None:
    """`nullable`, status ranges, media ranges and references to responses are followed as 3.0 means them."""

    async def script(request: ReceivedRequest, line: Line) -> bool:
        body = {"/items/1": {"name": None}, "/items/2": {"name": 2}}.get(request.path, GOOD)
        return await ok(json.dumps(body).encode(), "Content-Type: application/json")(request, line)

    with scripted(script) as server:
        facts = observe(
            "http.openapi", Target("api", server.url()), calls=[{"path": "/items/1"}, {"path": "/items/2"}]
        ).facts
    assert facts["valid"] is True
    assert facts["nonconforming"] == ["GET /items/2 200: $.name: 2 is not of type 'string'"]


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        (b"<html>", 'not JSON: expecting value in line 1, column 1; it begins with "<html>"'),
        (b"[]", "the document is not an object"),
        (b'"x"', "the document is not an object"),
        (b"- a", 'not JSON: expecting value in line 1, column 1; it begins with "- a"'),
        (b"", "not JSON: it is empty"),
    ],
)
def test_what_is_no_document_is_not_valid(body: bytes, problem: str) -> None:
    """A page in the document's place is reported as such, with how it begins."""
    with scripted(ok(body)) as server:
        facts = observe("http.openapi", Target("api", server.url())).facts
    assert facts["valid"] is False
    assert facts["problems"][0].startswith("not an OpenAPI document: ")
    assert facts["problems"] == [f"not an OpenAPI document: {problem}"]


@pytest.mark.parametrize(
    ("pattern", "matching", "other"),
    [
        (r"^[\p{L}*-]+$", "straße", "a1"),
        (r"^(?<year>\d{4})$", "2026", "26"),
        (r"^\u{1F600}$", "\U0001f600", "x"),
        (r"^\cA$", "\x01", "A"),
        (r"^[^]$", "\n", ""),
        (r"^a{,3}$", "a{,3}", "aa"),
        (r"^a$", "a", "a\n"),
    ],
)
def test_patterns_are_those_of_ecma_262(pattern: str, matching: str, other: str) -> None:
    """JSON Schema's patterns are ECMA-262: a document that has them is valid, and answers are compared by them."""
    schema = {"type": "object", "properties": {"name": {"type": "string", "pattern": pattern}}}
    response = {"description": "it", "content": {"application/json": {"schema": schema}}}
    paths = {"/x": {"get": {"responses": {"200": response}}}, "/y": {"get": {"responses": {"200": response}}}}
    described = {"openapi": "3.1.0", "info": {"title": "t", "version": "1"}, "paths": paths}

    async def script(request: ReceivedRequest, line: Line) -> bool:
        bodies: dict[str, Any] = {"/x": {"name": matching}, "/y": {"name": other}}
        body = bodies.get(request.path, described)
        return await ok(json.dumps(body).encode(), "Content-Type: application/json")(request, line)

    with scripted(script) as server:
        calls = [{"path": "/x"}, {"path": "/y"}]
        facts = observe("http.openapi", Target("api", server.url()), calls=calls).facts
    assert (facts["valid"], facts["problems"]) == (True, [])
    (deviation,) = facts["nonconforming"]
    assert deviation.startswith("GET /y 200: $.name: ")


@pytest.mark.parametrize("pattern", ["(", "(?P<x>a)", "(" * 3000 + ")" * 3000])
def test_one_pattern_that_cannot_be_read_is_named_and_the_rest_judged(pattern: str) -> None:
    """The document is not valid because of it, and answers are still compared with all other rules."""
    properties = {"a": {"type": "string", "pattern": pattern}, "b": {"type": "string", "pattern": r"^\p{L}+$"}}
    response = {"description": "it", "content": {"application/json": {"schema": {"properties": properties}}}}
    paths = {"/x": {"get": {"responses": {"200": response}}}}
    described = {"openapi": "3.1.0", "info": {"title": "t", "version": "1"}, "paths": paths}

    async def script(request: ReceivedRequest, line: Line) -> bool:
        body = {"b": "R2D2"} if request.path == "/x" else described
        return await ok(json.dumps(body).encode(), "Content-Type: application/json")(request, line)

    with scripted(script) as server:
        facts = observe("http.openapi", Target("api", server.url()), calls=[{"path": "/x"}]).facts
    (problem,) = facts["problems"]
    place = "$.paths./x.get.responses.200.content.application/json.schema.properties.a.pattern"
    assert problem == f"{place}: {pattern[:60]!r} is not a regular expression of ECMA-262"
    (deviation,) = facts["nonconforming"]
    assert deviation.startswith("GET /x 200: $.b: ")


def test_a_document_in_yaml_is_read() -> None:
    """Many services serve their document as YAML, with numbers as keys and anchors."""
    text = """
        openapi: 3.1.0
        info: {title: t, version: '1'}
        paths:
          /x:
            get:
              responses:
                200: {description: it, content: {application/json: {schema: &s {type: string}}}}
                404: {description: none, content: {application/json: {schema: *s}}}
    """

    async def script(request: ReceivedRequest, line: Line) -> bool:
        body, kind = (b'"it"', "json") if request.path == "/x" else (textwrap.dedent(text).encode(), "yaml")
        return await ok(body, f"Content-Type: application/{kind}")(request, line)

    with scripted(script) as server:
        with_ = {"path": "/openapi.yaml", "operations": ["GET /x"], "calls": [{"path": "/x"}]}
        observed = observe("http.openapi", Target("api", server.url()), **with_)
    assert observed.held, observed.findings
    assert observed.facts["operations"] == ["GET /x"]


def test_a_document_that_cannot_be_had_is_a_fact(target: Target) -> None:
    """404 and a closed port leave the facts of the document null."""
    missing = observe("http.openapi", target, path="/none.json")
    assert (missing.facts["status"], missing.facts["valid"], missing.held) == (404, None, False)
    assert observe("http.openapi", Target("api", "http://127.0.0.1:9")).facts["error"] == "refused"


def test_a_call_without_an_answer_is_a_deviation() -> None:
    """A service that dies at a call does not conform."""

    async def script(request: ReceivedRequest, line: Line) -> bool:
        if request.path == "/items/1":
            await asyncio.sleep(0)
            return False
        return await ok(json.dumps(GOOD).encode())(request, line)

    with scripted(script) as server:
        facts = observe("http.openapi", Target("api", server.url()), calls=[{"path": "/items/1"}]).facts
    assert facts["calls"] == 0
    assert facts["nonconforming"][0].startswith("GET /items/1: reset")


def test_a_file_takes_the_place_of_the_document_of_the_service(target: Target, tmp_path: Path) -> None:
    """The answers are compared with the file; no document is requested, so there is no status."""
    schema = {"type": "object", "required": ["price"]}
    responses = {"200": {"description": "", "content": {"application/json": {"schema": schema}}}}
    document = {
        "openapi": "3.0.3",
        "info": {"title": "x", "version": "1"},
        "paths": {"/health": {"get": {"responses": responses}}},
    }
    (tmp_path / "own.json").write_text(json.dumps(document), encoding="utf-8")
    observed = observe("http.openapi", target, file=str(tmp_path / "own.json"), calls=[{"path": "/health"}])
    facts = observed.facts
    assert (facts["status"], facts["valid"], facts["operations"]) == (None, True, ["GET /health"])
    assert (facts["nonconforming"], observed.held) == (["GET /health 200: $: 'price' is a required property"], False)
    schema["required"] = ["status"]
    (tmp_path / "own.json").write_text(json.dumps(document), encoding="utf-8")
    assert observe("http.openapi", target, file=str(tmp_path / "own.json"), calls=[{"path": "/health"}]).held


@pytest.mark.parametrize(
    ("name", "cap", "message"),
    [
        ("none.json", 100, "No such file"),
        (".", 100, "Is a directory"),
        ("/dev/null", 9, "not a regular"),
        ("a.json", 1, "larger"),
    ],
)
def test_a_file_that_cannot_be_read_is_an_error(
    target: Target, tmp_path: Path, name: str, cap: int, message: str
) -> None:
    """It is the tool that does not know."""
    (tmp_path / "a.json").write_text("{}", encoding="utf-8")
    with pytest.raises(Unmeasurable, match=message):
        observe("http.openapi", target, file=str(tmp_path / name), body_cap=cap)
