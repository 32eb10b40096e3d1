"""What happens to every HTTP request: its id, its limits, and its place in the metrics."""

from __future__ import annotations

import re
import time
import uuid

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from xnai_validate.demo.api.monitoring.metrics import Metrics
from xnai_validate.demo.settings import Settings

_BODY_LIMIT_BYTES = 256 * 1024
_REQUEST_ID = re.compile(r"[A-Za-z0-9._:-]{1,128}")
_NOT_COUNTED = frozenset({"/metrics"})


class RequestContext:
    """Gives each request an id and counts its answer before the last byte is sent.

    The id is the caller's own where it has sent a proper one.
    """

    def __init__(self, app: ASGIApp, settings: Settings, metrics: Metrics, prefix: str) -> None:
        self._app, self._settings, self._metrics, self._prefix = app, settings, metrics, prefix
        self._under_way = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one connection (ASGI 3.0)."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = self._request_id(Headers(scope=scope))
        scope.setdefault("state", {})["request_id"] = request_id
        answer = _Answer(self, scope, send, request_id)
        self._under_way += 1
        try:
            await self._app(scope, _limited(receive), answer.send)
        finally:
            answer.count()
            self._under_way -= 1

    def _request_id(self, headers: Headers) -> str:
        sent = headers.get("x-request-id", "")
        if _REQUEST_ID.fullmatch(sent) and not self._settings.broken("request-id-ignored"):
            return sent
        return f"req_{uuid.uuid4()}"

    def stamp(self, headers: MutableHeaders, request_id: str) -> None:
        """Write the id into the headers of an answer."""
        if self._settings.broken("request-id-missing"):
            del headers["X-Request-ID"]
        else:
            headers["X-Request-ID"] = request_id

    def answered(self, scope: Scope, status: int, elapsed_s: float, request_id: str) -> None:
        """Count an answer under the route it came from; the layout's prefix is no part of an endpoint's name."""
        path = getattr(scope.get("route"), "path", None)
        endpoint = str(path) if path else scope["path"] if scope.get("endpoint") else "unmatched"
        endpoint = endpoint.removeprefix(self._prefix)
        lost = self._under_way > 1 and self._settings.broken("metrics-lose-under-load")
        if endpoint not in _NOT_COUNTED and not lost:
            handler = self._prefix + endpoint if scope["path"].startswith(f"{self._prefix}/") else endpoint
            self._metrics.answered(endpoint, handler, scope["method"], status, elapsed_s, request_id)


class _Answer:
    """The answer to one request, on its way."""

    def __init__(self, context: RequestContext, scope: Scope, send: Send, request_id: str) -> None:
        self._context, self._scope, self._send, self._request_id = context, scope, send, request_id
        self._started = time.perf_counter()
        self._status = 500
        self._counted = False

    async def send(self, message: Message) -> None:
        """Pass a message on; the id goes into the headers, and the last message is counted first."""
        if message["type"] == "http.response.start":
            self._status = message["status"]
            self._context.stamp(MutableHeaders(scope=message), self._request_id)
        elif not message.get("more_body", False):
            self.count()
        await self._send(message)

    def count(self) -> None:
        """Count the answer, once."""
        if not self._counted:
            self._counted = True
            elapsed_s = time.perf_counter() - self._started
            self._context.answered(self._scope, self._status, elapsed_s, self._request_id)


def _limited(receive: Receive) -> Receive:
    """Refuse a request body beyond the limit: no valid request is that large."""
    received = 0

    async def limited() -> Message:
        nonlocal received
        message = await receive()
        received += len(message.get("body", b""))
        if received > _BODY_LIMIT_BYTES:
            raise HTTPException(400)
        return message

    return limited
