"""Error envelopes with wrong fields, statuses or bodies."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta, timezone

from fastapi import Request
from pydantic import JsonValue
from starlette.responses import HTMLResponse, Response

from xnai_validate.demo.api.answers.query import answer
from xnai_validate.demo.api.http.errors import envelope, status_of, to_response
from xnai_validate.demo.api.schemas import QueryRequest
from xnai_validate.demo.api.services import Services
from xnai_validate.demo.defects.defect import Defect

Body = dict[str, JsonValue]
ToResponse = Callable[[int, Body, dict[str, str]], Response]

_TRACE = "Traceback (most recent call last):\n  File \"/app/xnai/api/query.py\", line 42, in query\nKeyError: 'query'"

LEAKS_TRACE = Defect(
    "validation-leaks-trace",
    "The message of a validation error is a stack trace with file paths.",
    checks=("api/errors:no-leak",),
).changes(envelope, lambda body: body | {"message": _TRACE} if body["http_status"] == 400 else body)

ODD_TEXT_LEAKS = Defect(
    "odd-text-leaks-trace",
    "A question with a NUL in it ends in a page with a stack trace; what validation refuses does not.",
    checks=("api/errors:no-leak",),
)


@ODD_TEXT_LEAKS.wraps(answer)
async def fail_at_nul(
    original: Callable[[Services, QueryRequest, Request], Awaitable[Response]],
    /,
    services: Services,
    question: QueryRequest,
    request: Request,
) -> Response:
    """Answer a question that contains a NUL with a page that shows a stack trace."""
    if "\0" in question.query:
        return HTMLResponse(f"<pre>{_TRACE}</pre>", 500)
    return await original(services, question, request)


WITHOUT_REQUEST_ID = Defect(
    "envelope-without-request-id",
    "The error envelope has no request_id.",
    checks=("api/errors:envelope", "api/errors:request-id", "api/openapi:conforms"),
).changes(envelope, lambda body: {name: body[name] for name in body if name != "request_id"})

REQUEST_ID_DIFFERS = Defect(
    "request-id-differs",
    "The request_id in the envelope is not the one in the header.",
    checks=("api/errors:request-id",),
).changes(envelope, lambda body: body | {"request_id": "req_00000000-0000-4000-8000-000000000000"})


def _local_time(body: Body) -> Body:
    """Write the timestamp in the local time of a zone two hours ahead, without the zone."""
    there = datetime.now(timezone(timedelta(hours=2)))
    return body | {"timestamp": there.strftime("%Y-%m-%d %H:%M:%S")}


TIMESTAMP_LOCAL = Defect(
    "timestamp-local",
    "The envelope's timestamp is local time in another format.",
    checks=("api/errors:envelope", "api/openapi:conforms"),
).changes(envelope, _local_time)

TIMESTAMP_CONSTANT = Defect(
    "timestamp-constant",
    "The envelope's timestamp is that of the day on which the API was built.",
    checks=("api/errors:envelope",),
).changes(envelope, lambda body: body | {"timestamp": "2024-01-01T00:00:00.000Z"})

STATUS_DISAGREES = Defect(
    "http-status-disagrees",
    "The envelope's http_status is not the status of the answer.",
    checks=("api/errors:empty-question", "api/errors:long-question", "api/errors:missing-question"),
).changes(envelope, lambda body: body | {"http_status": 500})

SUGGESTION_MISSING = Defect(
    "suggestion-missing", "The envelope's recovery suggestion is empty.", checks=("api/errors:envelope",)
).changes(envelope, lambda body: body | {"recovery_suggestion": ""})

DETAIL_ONLY = Defect(
    "error-detail-only",
    "Errors have the framework's body instead of the envelope.",
    checks=("api/errors:empty-question", "api/errors:envelope", "api/errors:long-question"),
)


@DETAIL_ONLY.wraps(to_response)
def body_of_framework(original: ToResponse, /, status: int, body: Body, headers: dict[str, str]) -> Response:
    """Send the message as FastAPI does, `{"detail": ...}`, without the other fields of the envelope."""
    return original(status, {"detail": body["message"]}, headers)


AS_200 = Defect(
    "errors-as-200",
    "Errors are answered with status 200.",
    checks=("api/errors:empty-question", "api/errors:envelope", "api/errors:long-question"),
)


@AS_200.wraps(to_response)
def status_200(original: ToResponse, /, status: int, body: Body, headers: dict[str, str]) -> Response:
    """Send the error with status 200."""
    return original(200, body, headers)


VALIDATION_422 = Defect(
    "validation-422",
    "An invalid request is answered with 422.",
    checks=(
        "api/errors:empty-question",
        "api/errors:token-range",
        "api/errors:wrong-type",
        "streaming/stream:refused-before",
    ),
)


@VALIDATION_422.wraps(to_response)
def status_422(original: ToResponse, /, status: int, body: Body, headers: dict[str, str]) -> Response:
    """Send an error of validation with status 422 instead of 400."""
    return original(422 if status == 400 else status, body, headers)


NOT_FOUND_HTML = Defect(
    "not-found-html", "An unknown path is answered with an HTML page.", checks=("api/errors:unknown-path",)
)


@NOT_FOUND_HTML.wraps(to_response)
def page_for_404(original: ToResponse, /, status: int, body: Body, headers: dict[str, str]) -> Response:
    """Send a page instead of the envelope if the status is 404."""
    if status == 404:
        return HTMLResponse("<html><body><h1>404 Not Found</h1></body></html>", status_code=404)
    return original(status, body, headers)


WRONG_METHOD_404 = Defect(
    "wrong-method-404",
    "A method that a path does not take is answered with 404.",
    checks=("api/errors:wrong-method",),
).changes(status_of, lambda status: 404 if status == 405 else status)
