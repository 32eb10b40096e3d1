"""`POST /stream`: one answer, an event a token, as server-sent events (WHATWG HTML, 9.2)."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import aclosing

from fastapi import APIRouter, Request
from fastapi.responses import Response
from pydantic import JsonValue

from xnai_validate.demo.api import spoiled_stream as spoiled
from xnai_validate.demo.api.answers.turn import Turn, turn
from xnai_validate.demo.api.failures import ModelError, ModelTimeout
from xnai_validate.demo.api.schemas import QueryRequest
from xnai_validate.demo.api.services import Services
from xnai_validate.demo.api.spoiled_busy import question
from xnai_validate.demo.api.spoiled_frames import frames as spoil_frames
from xnai_validate.demo.event_stream import EventStream

Event = dict[str, JsonValue]

_HEADERS = {"Cache-Control": "no-cache", "X-Accel-Buffering": "no"}
_HEARTBEAT = b": heartbeat\n\n"
_OPENED: Event = {}


def router(services: Services) -> APIRouter:
    """The endpoint, for one application."""
    routes = APIRouter()
    settings = services.settings

    @routes.post(
        "/stream",
        summary="Answer a question token by token",
        status_code=200,
        response_class=EventStream,
        responses={200: {"description": "Events: sources, token, done or error.", "content": _EVENT_STREAM}},
    )
    async def stream(asked: QueryRequest, request: Request) -> Response:
        """Answer a question as it is generated. When the reader leaves, the generation stops."""
        told = spoiled.events(settings, events(services, asked, request))
        # Up to here: what is refused is refused with a status of its own, before the stream has begun.
        await anext(told)
        beats = spoiled.heartbeat(settings, _HEARTBEAT)
        body = spoil_frames(settings, _with_heartbeats(_frames(told), settings.times.heartbeat_s, beats))
        body = spoiled.echoed(settings, asked.query, body)
        return spoiled.response(settings, body, _HEADERS)

    return routes


_EVENT_STREAM: dict[str, JsonValue] = {
    "text/event-stream": {
        "schema": {
            "type": "string",
            "description": (
                'Frames `data: <json>`, each ended by an empty line: {"type":"sources","sources":[..]}, '
                '{"type":"token","content":".."}, {"type":"done","tokens":N,"latency_ms":x}, '
                '{"type":"error","error":".."}. Comments are heartbeats.'
            ),
        }
    }
}


async def events(services: Services, asked: QueryRequest, request: Request) -> AsyncGenerator[Event, None]:
    """The events of one answer, after an empty one that says that nothing stands against it.

    Raises `CircuitOpen` before the first. A model that fails later is told as an `error` event, and no `done` follows.
    """
    async with question(services, "stream", asked) as asked, turn(services, "stream", asked, request) as now:
        limit = spoiled.most_tokens(services.settings, now.asked.max_tokens)
        try:
            async with services.breakers["rag_api"].call():
                yield _OPENED
                if asked.use_rag and len(services.index):
                    yield {"type": "sources", "sources": list(now.sources)}
                async with aclosing(services.model.stream(now.prompt, now.max_tokens(services.settings))) as tokens:
                    async for token in tokens:
                        if now.tokens >= limit:
                            continue
                        now.tokens += 1
                        now.response += token
                        yield {"type": "token", "content": token}
        except (ModelError, ModelTimeout) as error:
            now.status = 504 if isinstance(error, ModelTimeout) else 500
            yield _failed(services, error)
            return
        yield _done(services, now)


def _done(services: Services, now: Turn) -> Event:
    """Count the answer and tell its end."""
    now.status = 200
    elapsed_ms = now.elapsed_ms
    if not services.settings.broken("streams-uncounted"):
        services.metrics.processed(now.asked.use_rag, now.tokens, now.tokens / elapsed_ms * 1000 if elapsed_ms else 0.0)
    return {"type": "done", "tokens": now.tokens, "latency_ms": round(elapsed_ms, 2)}


def _failed(services: Services, error: ModelError | ModelTimeout) -> Event:
    """Count a failure and tell it, in words for the reader."""
    late = isinstance(error, ModelTimeout)
    services.metrics.failed("timeout" if late else "model_error", "llm")
    if services.settings.broken("stream-error-leaks"):
        return {"type": "error", "error": f'Traceback (most recent call last):\n  File "{__file__}"\n{error!r}'}
    said = "The language model did not answer in time." if late else "The language model could not answer."
    return {"type": "error", "error": said}


async def _frames(told: AsyncGenerator[Event, None]) -> AsyncGenerator[bytes, None]:
    """Each event as a frame."""
    async with aclosing(told):
        async for event in told:
            yield frame(event)


def frame(event: Event) -> bytes:
    """One event on the wire: its JSON in one `data` line, ended by an empty line."""
    return f"data: {json.dumps(event, ensure_ascii=False)}\n\n".encode("utf-8", "replace")


async def _with_heartbeats(
    frames: AsyncGenerator[bytes, None], every_s: float, beat: bytes
) -> AsyncGenerator[bytes, None]:
    """The frames as they come; a heartbeat whenever none has come for so long."""
    coming: asyncio.Task[bytes | None] | None = None
    try:
        while True:
            coming = coming or asyncio.create_task(_next(frames))
            await asyncio.wait({coming}, timeout=every_s)
            if not coming.done():
                yield beat
                continue
            piece, coming = coming.result(), None
            if piece is None:
                return
            yield piece
    finally:
        if coming is not None:
            coming.cancel()
            await asyncio.gather(coming, return_exceptions=True)
        await frames.aclose()


async def _next(frames: AsyncGenerator[bytes, None]) -> bytes | None:
    """The next frame; None after the last."""
    return await anext(frames, None)
