"""One envelope for every error, whatever its cause."""

from __future__ import annotations

import hashlib
import math
from datetime import UTC, datetime

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from pydantic import JsonValue
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from xnai_validate.demo.api.failures import CircuitOpen, ModelError, ModelTimeout
from xnai_validate.demo.api.monitoring.metrics import Metrics
from xnai_validate.demo.seams import seam

VALIDATION = "validation_validation"
_MESSAGES = {
    400: (
        "validation",
        VALIDATION,
        "The request is not valid.",
        "Correct the request; see /docs for what is accepted.",
    ),
    404: (
        "not_found",
        "not_found_404",
        "There is nothing at this path.",
        "Check the path; see /docs for what there is.",
    ),
    405: (
        "method_not_allowed",
        "method_not_allowed_405",
        "This path does not take this method.",
        "Use a method that the Allow header names.",
    ),
}
_INTERNAL = (
    "internal_error",
    "internal_error",
    "The request could not be answered.",
    "Try again; report the request_id.",
)


@seam
def envelope(
    request_id: str,
    status: int,
    category: str,
    code: str,
    message: str,
    suggestion: str,
    details: dict[str, JsonValue] | None = None,
) -> dict[str, JsonValue]:
    """The body of an error; `timestamp` is ISO 8601 in UTC, `http_status` the status of the answer."""
    return {
        "error_code": code,
        "message": message,
        "category": category,
        "http_status": status,
        "timestamp": datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "details": details or {},
        "recovery_suggestion": suggestion,
        "request_id": request_id,
    }


@seam
def to_response(status: int, body: dict[str, JsonValue], headers: dict[str, str]) -> Response:
    """The response that carries an envelope."""
    return JSONResponse(body, status_code=status, headers=headers)


@seam
def status_of(error: HTTPException) -> int:
    """The status for an error of the framework: 400, 404, 405 or 500."""
    if error.status_code in _MESSAGES:
        return error.status_code
    return 400 if 400 <= error.status_code < 500 else 500


@seam
def refusal(retry_after_s: int) -> tuple[int, dict[str, str]]:
    """Status and headers of the response to a call that a breaker refuses."""
    return 503, {"Retry-After": str(retry_after_s)}


@seam
def timeout_message() -> str:
    """The message for a model that did not answer in time."""
    return "The language model did not answer in time."


def own_category(category: str) -> tuple[str, str]:
    """The category of an exception of the stack's own, and its error code: the category and four digits of a hash."""
    return category, f"{category}_{hashlib.sha256(category.encode()).hexdigest()[:4]}"


class ErrorAnswers:
    """The exception handlers of the application."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics

    def install(self, app: FastAPI) -> None:
        """Answer every exception of `app` with the envelope."""
        app.add_exception_handler(RequestValidationError, self.validation)
        app.add_exception_handler(HTTPException, self.http)
        app.add_exception_handler(CircuitOpen, self.circuit_open)
        app.add_exception_handler(ModelError, self.model)
        app.add_exception_handler(ModelTimeout, self.timeout)
        app.add_exception_handler(Exception, self.internal)

    async def validation(self, request: Request, error: Exception) -> Response:
        """400: which fields are wrong and how; what was sent is not repeated."""
        assert isinstance(error, RequestValidationError)
        errors: list[JsonValue] = [
            {"field": ".".join(map(str, entry["loc"])), "message": str(entry["msg"]), "type": str(entry["type"])}
            for entry in error.errors()[:20]
        ]
        return self._answer(request, 400, *_MESSAGES[400], details={"errors": errors})

    async def http(self, request: Request, error: Exception) -> Response:
        """404, 405 and every other error of the framework."""
        assert isinstance(error, HTTPException)
        status = status_of(error)
        return self._answer(request, status, *_MESSAGES.get(status, _INTERNAL), headers=dict(error.headers or {}))

    async def circuit_open(self, request: Request, error: Exception) -> Response:
        """503 with the service and when to try again."""
        assert isinstance(error, CircuitOpen)
        seconds = max(1, math.ceil(error.retry_after_s))
        status, headers = refusal(seconds)
        return self._answer(
            request,
            status,
            *own_category("circuit_open"),
            "A service behind this endpoint has failed repeatedly and is being spared.",
            f"Try again in {seconds} s.",
            details={"service_name": error.name, "retry_after_s": round(error.retry_after_s, 3)},
            headers=headers,
            component=error.name,
        )

    async def model(self, request: Request, _: Exception) -> Response:
        """500: the model failed."""
        words = (*own_category("model_error"), "The language model could not answer.", "Try again in a moment.")
        return self._answer(request, 500, *words, details={"service_name": "llm"}, component="llm")

    @seam
    async def timeout(self, request: Request, error: Exception) -> Response:
        """504: the model did not answer in time."""
        words = (*own_category("timeout"), timeout_message(), "Try again, or ask for less.")
        return self._answer(request, 504, *words, details={"service_name": "llm"}, component="llm")

    async def internal(self, request: Request, _: Exception) -> Response:
        """500 for an unexpected exception, which goes to the log and not to the client."""
        return self._answer(request, 500, *_INTERNAL)

    def _answer(
        self,
        request: Request,
        status: int,
        category: str,
        code: str,
        message: str,
        suggestion: str,
        *,
        details: dict[str, JsonValue] | None = None,
        headers: dict[str, str] | None = None,
        component: str = "api",
    ) -> Response:
        """Count an error and return its envelope as a response."""
        self._metrics.failed(category, component)
        request_id = str(request.state.request_id)
        body = envelope(request_id, status, category, code, message, suggestion, details)
        return to_response(status, body, {**(headers or {}), "X-Request-ID": request_id})
