"""The one envelope of all errors, and the middleware that makes it."""

from __future__ import annotations

import logging
import time
import uuid
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime

from aiohttp import web

from tests.field.api.metrics import METRICS, Metrics

REQUEST_ID = "request_id"
STATUS = {
    "validation": 400,
    "not_found": 404,
    "internal_error": 500,
    "circuit_open": 503,
    "service_unavailable": 503,
    "timeout": 504,
}
_ADVICE = {
    "validation": "Correct the request and send it again.",
    "not_found": "Look at /openapi.json for the paths.",
    "circuit_open": "Wait for the time that Retry-After names.",
    "timeout": "Ask again, or ask for fewer tokens.",
}
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class StackError(Exception):
    """An error that a client is meant to see."""

    def __init__(
        self,
        category: str,
        code: str,
        message: str,
        *,
        status: int | None = None,
        details: Mapping[str, object] | None = None,
        retry_after: int | None = None,
    ) -> None:
        super().__init__(message)
        self.category, self.code, self.message = category, code, message
        self.status = status or STATUS[category]
        self.details = dict(details or {})
        self.retry_after = retry_after


def envelope(error: StackError, request_id: str) -> web.Response:
    """Return an error as a response."""
    body = {
        "error_code": error.code,
        "message": error.message,
        "category": error.category,
        "http_status": error.status,
        "timestamp": datetime.now(UTC).isoformat().replace("+00:00", "Z"),
        "details": error.details,
        "recovery_suggestion": _ADVICE.get(error.category, "Try again later."),
        "request_id": request_id,
    }
    headers = {"Retry-After": str(error.retry_after)} if error.retry_after else {}
    return web.json_response(body, status=error.status, headers=headers)


def _translate(error: web.HTTPException) -> StackError:
    if error.status == 404:
        return StackError("not_found", "not_found_404", "There is nothing at this path.")
    if error.status == 405:
        return StackError("validation", "method_not_allowed_405", "The path takes another method.", status=405)
    return StackError("validation", "validation_validation", "The request cannot be read.")


async def set_request_id(request: web.Request, response: web.StreamResponse) -> None:
    """Add X-Request-ID to every response."""
    response.headers["X-Request-ID"] = request[REQUEST_ID]


@web.middleware
async def answer_errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Give each request an id, count it, and turn exceptions into envelopes."""
    request[REQUEST_ID] = f"req_{uuid.uuid4()}"
    metrics = request.app[METRICS]
    begun = time.perf_counter()
    try:
        response = await handler(request)
    except web.HTTPRedirection as redirection:
        response = web.Response(status=redirection.status, headers={"Location": redirection.headers["Location"]})
    except web.HTTPException as http_error:
        response = _failed(_translate(http_error), request, metrics)
        if "Allow" in http_error.headers:
            response.headers["Allow"] = http_error.headers["Allow"]
    except StackError as error:
        response = _failed(error, request, metrics)
    except ConnectionResetError:
        raise
    except Exception:
        logging.exception("unexpected")
        unknown = StackError("internal_error", "internal_error_500", "Something went wrong on our side.")
        response = _failed(unknown, request, metrics)
    resource = request.match_info.route.resource
    endpoint = resource.canonical if resource else "unmatched"
    metrics.count_request(endpoint, request.method, response.status, time.perf_counter() - begun)
    return response


def _failed(error: StackError, request: web.Request, metrics: Metrics) -> web.Response:
    metrics.errors.labels(error.category, "api").inc()
    return envelope(error, request[REQUEST_ID])
