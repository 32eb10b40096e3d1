"""Which operations get a check, with which request, and why the others do not."""

from __future__ import annotations

from pathlib import Path

from xnai_validate.importing.openapi.document import ApiDocument, read_document
from xnai_validate.importing.openapi.operations import operations_of
from xnai_validate.model.json import JsonObject

ODD = read_document(str(Path(__file__).with_name("odd.yaml")))


def test_requests_are_made_of_examples_defaults_and_enumerations() -> None:
    """Only required parameters are sent, each in the style of its place, percent-encoded."""
    operation = next(each for each in operations_of(ODD).taken if each.template.startswith("/items"))
    assert operation.request.target == "/items/7/a%20b,c?tag=x&tag=y%26z&flat=1,2&filter=%7B%22a%22%3A%201%7D"
    assert operation.request.headers == {"X-Mode": "fast"}
    assert operation.request.cookies == {"seen": "yes"}


def test_statuses_and_media_types_are_those_of_the_declared_successes() -> None:
    """A range declares no single one, and errors are not successes."""
    found = {each.name: (each.statuses, each.media_types) for each in operations_of(ODD).taken}
    assert found == {
        "GET /plain": ([200], ["application/json"]),
        "GET /items/{id}/{part}": ([200, 206], ["application/json", "text/plain"]),
        "GET /range": ([], []),
        "GET /moved": ([302], []),
        "GET /certificate": ([200], []),
    }


def test_each_other_operation_is_named_with_its_reason() -> None:
    """Nothing is left out in silence."""
    assert operations_of(ODD).left_out == {
        "POST /plain": "may change state",
        "HEAD /items/{id}/{part}": "has the parameter tag in a form that init does not write",
        "GET /events": "answers with a stream; `kind: sse.stream` or `ndjson.stream` measures it",
        "GET /elsewhere": "has servers of its own, and a profile gives the API one url",
        "all of /foreign": "is described in another document",
        "GET /search": "needs the parameter q, for which the document has no example",
        "GET /circle/{id}": "has a parameter that this document does not describe",
        "GET /undeclared/{id}": "has a parameter in its path that it does not declare",
        "GET /control": "has a character in the example of q that no request may have",
    }


def test_a_document_gets_a_bounded_number_of_checks() -> None:
    """The operation after which the others are left out is named."""
    paths: JsonObject = {f"/p{number}": {"get": {}} for number in range(1_500)}
    operations = operations_of(ApiDocument({"openapi": "3.1.0", "paths": paths}, "api.json"))
    assert len(operations.taken) == 1_000
    assert operations.left_out == {"what follows GET /p999": "is left out: a suite gets at most 1000 operations"}


def test_a_cookie_that_would_be_another_leaves_its_operation_out() -> None:
    """The example of a cookie may have a semicolon, which a request cannot."""
    cookie: JsonObject = {"name": "a;b", "in": "cookie", "required": True, "schema": {"type": "string"}, "example": "x"}
    paths: JsonObject = {"/p": {"get": {"parameters": [cookie]}}}
    left_out = operations_of(ApiDocument({"openapi": "3.1.0", "paths": paths}, "api.json")).left_out
    assert left_out == {"GET /p": "has an example of a header or cookie that HTTP does not allow"}


def test_a_document_of_any_shape_is_read_to_its_end() -> None:
    """What is not a mapping where one belongs is as if it were not there."""
    paths = {
        "/a": 7,
        "/b": {"get": None, "post": []},
        "/c": {"get": {"parameters": 3, "responses": [1]}},
        "/\ud800": {"get": {}},
    }
    found = operations_of(ApiDocument({"paths": paths}, "x"))  # type: ignore[dict-item]
    assert [each.name for each in found.taken] == ["GET /b", "GET /c"]
    assert found.left_out == {
        "POST /b": "may change state",
        "GET /\ud800": "has a character in its path that no request may have",
    }
