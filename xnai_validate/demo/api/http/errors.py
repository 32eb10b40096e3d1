"""One envelope for every error, whatever went wrong and wherever it was noticed."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from pydantic import JsonValue
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

from xnai_validate.demo.api import spoiled
from xnai_validate.demo.api.failures import CircuitOpen, ModelError, ModelTimeout
from xnai_validate.demo.settings import Settings

if TYPE_CHECKING:
    from xnai_validate.demo.api.monitoring.metrics import Metrics

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


class ErrorAnswers:
    """The exception handlers of the application."""

    def __init__(self, settings: Settings, metrics: Metrics) -> None:
        self._settings = settings
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
        wrong: list[JsonValue] = [
            {"field": ".".join(str(part) for part in one["loc"]), "message": str(one["msg"]), "type": str(one["type"])}
            for one in error.errors()[:20]
        ]
        return self._answer(request, 400, *_MESSAGES[400], details={"errors": wrong})

    async def http(self, request: Request, error: Exception) -> Response:
        """404, 405 and whatever else the framework refuses."""
        assert isinstance(error, HTTPException)
        status = 404 if self._settings.broken("wrong-method-404") and error.status_code == 405 else error.status_code
        if status not in _MESSAGES:
            status = 400 if 400 <= status < 500 else 500
        return self._answer(request, status, *_MESSAGES.get(status, _INTERNAL), headers=dict(error.headers or {}))

    async def circuit_open(self, request: Request, error: Exception) -> Response:
        """503 with the service and when to try again."""
        assert isinstance(error, CircuitOpen)
        seconds = max(1, math.ceil(error.retry_after_s))
        told = 3600 if self._settings.broken("retry-after-too-long") else seconds
        return self._answer(
            request,
            500 if self._settings.broken("circuit-open-500") else 503,
            "circuit_open",
            "circuit_open",
            "A service behind this endpoint has failed repeatedly and is being spared.",
            f"Try again in {seconds} s.",
            details={"service_name": error.name, "retry_after_s": round(error.retry_after_s, 3)},
            headers={} if self._settings.broken("retry-after-missing") else {"Retry-After": str(told)},
            component=error.name,
        )

    async def model(self, request: Request, _: Exception) -> Response:
        """500: the model failed."""
        words = ("model_error", "model_error", "The language model could not answer.", "Try again in a moment.")
        return self._answer(request, 500, *words, details={"service_name": "llm"}, component="llm")

    async def timeout(self, request: Request, _: Exception) -> Response:
        """504: the model did not answer in time."""
        if self._settings.broken("model-failure-as-answer"):
            return JSONResponse(spoiled.APOLOGY)
        if self._settings.broken("timeout-is-200"):
            return JSONResponse({"response": "", "sources": [], "tokens_generated": 0})
        if self._settings.broken("timeout-plain"):
            return PlainTextResponse("upstream timed out", status_code=504)
        said = "The language model did not answer in time."
        if self._settings.broken("timeout-leaks"):
            said = 'File "/app/xnai/api/model.py", line 40, in complete: ModelTimeout(127.0.0.1:8080)'
        words = ("timeout", "timeout", said, "Try again, or ask for less.")
        return self._answer(request, 504, *words, details={"service_name": "llm"}, component="llm")

    async def internal(self, request: Request, _: Exception) -> Response:
        """500 for what nobody expected. The exception goes to the log, not to the caller."""
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
        self._metrics.failed(category, component)
        request_id = str(request.state.request_id)
        body = envelope(request_id, status, category, code, message, suggestion, details)
        answer = JSONResponse(body, status_code=status, headers={**(headers or {}), "X-Request-ID": request_id})
        return spoiled.error(self._settings, answer, body)
