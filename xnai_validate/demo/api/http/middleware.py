"""What happens to every HTTP request: its id, its limits, and its place in the metrics."""

from __future__ import annotations

import time
import uuid

from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from xnai_validate.demo.api.monitoring.metrics import Metrics
from xnai_validate.demo.seams import seam

_BODY_LIMIT_BYTES = 256 * 1024
_NOT_COUNTED = frozenset({"/metrics"})


@seam
def set_request_id(headers: MutableHeaders, request_id: str) -> None:
    """Write the id of the request into the headers of the response."""
    headers["X-Request-ID"] = request_id


class RequestContext:
    """Gives each request an id and counts its response before the last byte is sent."""

    def __init__(self, app: ASGIApp, metrics: Metrics, prefix: str) -> None:
        self._app, self._metrics, self._prefix = app, metrics, prefix
        self.open_requests = 0
        """Requests whose response is not complete yet."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one connection (ASGI 3.0)."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = f"req_{uuid.uuid4()}"  # the id that a client sends is not taken over
        scope.setdefault("state", {})["request_id"] = request_id
        response = _Response(self, scope, send, request_id)
        self.open_requests += 1
        try:
            await self._app(scope, _limited(receive), response.send)
        finally:
            response.count()
            self.open_requests -= 1

    @seam
    def count(self, scope: Scope, status: int, elapsed_s: float, request_id: str) -> None:
        """Count a response under the route it came from; the layout's prefix is not part of an endpoint's name."""
        path = getattr(scope.get("route"), "path", None)
        endpoint = str(path) if path else scope["path"] if scope.get("endpoint") else "unmatched"
        endpoint = endpoint.removeprefix(self._prefix)
        if endpoint not in _NOT_COUNTED:
            handler = self._prefix + endpoint if scope["path"].startswith(f"{self._prefix}/") else endpoint
            self._metrics.answered(endpoint, handler, scope["method"], status, elapsed_s, request_id)


class _Response:
    """The response to one request, on its way."""

    def __init__(self, context: RequestContext, scope: Scope, send: Send, request_id: str) -> None:
        self._context, self._scope, self._send, self._request_id = context, scope, send, request_id
        self._started = time.perf_counter()
        self._status = 500
        self._counted = False

    async def send(self, message: Message) -> None:
        """Pass a message on; the id goes into the headers, and the response is counted before its last message."""
        if message["type"] == "http.response.start":
            self._status = message["status"]
            set_request_id(MutableHeaders(scope=message), self._request_id)
        elif not message.get("more_body", False):
            self.count()
        await self._send(message)

    def count(self) -> None:
        """Count the response, once."""
        if not self._counted:
            self._counted = True
            elapsed_s = time.perf_counter() - self._started
            self._context.count(self._scope, self._status, elapsed_s, self._request_id)


def _limited(receive: Receive) -> Receive:
    """Refuse a request body beyond the limit: no valid request is that large."""
    received = 0

    async def limited() -> Message:
        """Receive a message, and refuse a body above the limit."""
        nonlocal received
        message = await receive()
        received += len(message.get("body", b""))
        if received > _BODY_LIMIT_BYTES:
            raise HTTPException(400)
        return message

    return limited
