"""The edge of a stack that has defects: requests that are taken wrongly before the application sees them."""

from __future__ import annotations

import json

from pydantic import ValidationError
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from xnai_validate.demo.api.schemas import QueryRequest
from xnai_validate.demo.settings import Settings

_BODY_LIMIT_BYTES = 1 << 20
_KNOWN = {"query", "use_rag", "max_tokens", "temperature", "top_p"}
_DEPTH = 5_000
_FALLBACK = "What is Xoe-NovAi?"


def spoil_http(settings: Settings, app: ASGIApp) -> ASGIApp:
    """The application as it is, or behind an edge with this stack's defects."""
    broken = settings.broken
    touched = (
        broken("empty-query-accepted"),
        broken("long-query-accepted"),
        broken("unknown-fields-refused"),
        broken("unicode-fails"),
        broken("broken-json-fails"),
        broken("metrics-missing"),
        broken("deep-json-fails"),
        broken("length-in-bytes"),
        broken("ranges-unchecked"),
        broken("null-fails"),
        broken("nul-fails"),
        broken("stream-validates-late"),
    )
    return _Edge(settings, app) if any(touched) else app


class _Edge:
    """Reads the body of a POST, and gives the application another one."""

    def __init__(self, settings: Settings, app: ASGIApp) -> None:
        self._settings, self._app = settings, app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"] == "/metrics" and self._settings.broken("metrics-missing"):
            scope = {**scope, "path": "/no-metrics", "raw_path": b"/no-metrics"}
        if scope["type"] != "http" or scope["method"] != "POST":
            await self._app(scope, receive, send)
            return
        body = await _body(receive)
        if self._settings.broken("stream-validates-late") and scope["path"].endswith("/stream") and not _valid(body):
            await _told_late()(scope, receive, send)
            return
        try:
            changed = self._changed(body)
        except ValueError:
            await JSONResponse({"detail": "Internal Server Error"}, status_code=500)(scope, receive, send)
            return
        headers = [pair for pair in scope["headers"] if pair[0] != b"content-length"]
        headers.append((b"content-length", str(len(changed)).encode()))
        await self._app({**scope, "headers": headers}, _replayed(changed, receive), send)

    def _changed(self, body: bytes) -> bytes:
        """The body that the application gets; raises `ValueError` for one that makes this stack fail."""
        broken = self._settings.broken
        if broken("unicode-fails"):
            body.decode("ascii")
        if broken("deep-json-fails") and max(body.count(b"["), body.count(b"{")) > _DEPTH:
            raise ValueError("the body is nested too deep")
        try:
            asked = json.loads(body)
        except ValueError:
            if broken("broken-json-fails"):
                raise
            return body
        query = asked.get("query") if isinstance(asked, dict) else None
        if broken("empty-query-accepted") and query in (None, ""):
            asked = {"query": _FALLBACK}
        elif broken("long-query-accepted") and isinstance(query, str):
            asked["query"] = query[:2000]
        if isinstance(asked, dict):
            asked = self._of_values(asked)
        if broken("unknown-fields-refused") and isinstance(asked, dict) and set(asked) - _KNOWN:
            asked = {}
        return json.dumps(asked).encode()

    def _of_values(self, asked: dict[str, object]) -> dict[str, object]:
        """The question, as defects of single fields let it through; raises `ValueError` where they fail."""
        broken, query = self._settings.broken, asked.get("query")
        if broken("null-fails") and None in asked.values():
            raise ValueError("a field is null")
        if broken("nul-fails") and isinstance(query, str) and "\0" in query:
            raise ValueError("the question ends in its middle")
        if broken("length-in-bytes") and isinstance(query, str) and len(query.encode("utf-8", "replace")) > 2000:
            return {}
        if broken("ranges-unchecked"):
            return {name: value for name, value in asked.items() if name not in ("temperature", "top_p")}
        return asked


def _valid(body: bytes) -> bool:
    try:
        QueryRequest.model_validate_json(body)
    except ValidationError:
        return False
    return True


def _told_late() -> Response:
    """A refusal within a stream that has begun."""
    event = {"type": "error", "error": "The request is not valid."}
    return Response(f"data: {json.dumps(event)}\n\n", media_type="text/event-stream")


async def _body(receive: Receive) -> bytes:
    """The whole body, up to a limit."""
    body, more = b"", True
    while more and len(body) < _BODY_LIMIT_BYTES:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    return body


def _replayed(body: bytes, receive: Receive) -> Receive:
    """Give a body once, then whatever comes."""
    given = False

    async def replayed() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return replayed
