"""The OpenAPI document: what the application really answers, errors included."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from xnai_validate.demo.api.schemas import ErrorEnvelope
from xnai_validate.demo.seams import seam

_UNUSED = ("HTTPValidationError", "ValidationError")
_REQUEST_ID = {
    "description": "The request's id; the client's own if it has sent one.",
    "schema": {"type": "string"},
}

Answers = dict[int | str, dict[str, Any]]
"""Status to OpenAPI response, as FastAPI takes it."""


def errors(*statuses: int) -> Answers:
    """The errors of an operation, each with the envelope; any other error has it too."""
    words = {
        400: "The request is not valid.",
        500: "The request could not be answered.",
        503: "A breaker is open; see Retry-After.",
        504: "The model did not answer in time.",
    }
    answers: Answers = {status: {"model": ErrorEnvelope, "description": words[status]} for status in statuses}
    answers["default"] = {"model": ErrorEnvelope, "description": "Any other error."}
    return answers


def document(app: FastAPI) -> Callable[[], dict[str, Any]]:
    """A function that makes the document once: FastAPI's, without the answers this application never gives."""

    def make_schema() -> dict[str, Any]:
        """Make the document at the first request and keep it."""
        if app.openapi_schema is None:
            schema = get_openapi(title=app.title, version=app.version, summary=app.summary, routes=app.routes)
            app.openapi_schema = corrected(schema)
        return app.openapi_schema

    return make_schema


@seam
def corrected(schema: dict[str, Any]) -> dict[str, Any]:
    """The document with 400 for validation errors, and the request's id on every response."""
    for operations in schema["paths"].values():
        for operation in operations.values():
            operation["responses"].pop("422", None)
            for status, answer in operation["responses"].items():
                if not status.startswith("2"):
                    answer["content"] = {"application/json": next(iter(answer["content"].values()))}
                answer.setdefault("headers", {})["X-Request-ID"] = _REQUEST_ID
            if "503" in operation["responses"]:
                operation["responses"]["503"]["headers"]["Retry-After"] = {
                    "description": "Seconds until it is worth trying again.",
                    "schema": {"type": "integer", "minimum": 1},
                }
    for name in _UNUSED:
        schema.get("components", {}).get("schemas", {}).pop(name, None)
    return schema
