"""Events that arrive at the wrong time: late, all at once, or with too long a silence."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import aclosing

from fastapi import Request
from fastapi.responses import Response
from starlette.types import Receive, Scope, Send

from xnai_validate.demo.api.answers.frames import frames, heartbeat
from xnai_validate.demo.api.answers.stream import events, headers, to_response
from xnai_validate.demo.api.schemas import QueryRequest
from xnai_validate.demo.api.services import Services
from xnai_validate.demo.defects.defect import Defect
from xnai_validate.demo.defects.streaming.changes import Events, Frames, MakeEvents, MakeFrames, ToResponse
from xnai_validate.demo.event_stream import EventStream
from xnai_validate.demo.settings import Settings

BURST = Defect(
    "stream-burst",
    "All events arrive at once, at the end.",
    checks=("streaming/stream:through-gateway", "streaming/stream:unbuffered"),
)


@BURST.wraps(frames)
def frames_at_the_end(original: MakeFrames, /, settings: Settings, question: QueryRequest, events: Events) -> Frames:
    """Send all frames at once, after the last event."""
    return _joined(original(settings, question, events))


async def _joined(sent: Frames) -> Frames:
    """Yield all frames as one piece."""
    async with aclosing(sent):
        yield b"".join([frame async for frame in sent])


WHOLE_BODY = Defect(
    "stream-whole-body",
    "The stream is collected and sent with its length.",
    checks=("streaming/stream:through-gateway", "streaming/stream:unbuffered"),
)


class _WholeBody(EventStream):
    """A stream that is collected first and sent with its length."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async with aclosing(self.pieces) as pieces:
            whole = b"".join([piece async for piece in pieces])
        await Response(whole, headers=dict(self.headers))(scope, receive, send)


@WHOLE_BODY.wraps(to_response)
def whole_body(_: ToResponse, /, body: Frames) -> Response:
    """Return a response that collects the stream and sends it with its length."""
    return _WholeBody(body, headers=headers())


def _pause_before_token(number: int, pause_s: Callable[[Settings], float], defect: Defect) -> Defect:
    """Let a defect send nothing for a while before one token, counted from 1."""

    @defect.wraps(events)
    def paused(original: MakeEvents, /, services: Services, question: QueryRequest, request: Request) -> Events:
        return _paused(original(services, question, request), number, pause_s(services.settings))

    return defect


async def _paused(source: Events, number: int, pause_s: float) -> Events:
    """Yield the events, with a pause before one token, counted from 1."""
    tokens = 0
    async with aclosing(source):
        async for event in source:
            tokens += event.get("type") == "token"
            if event.get("type") == "token" and tokens == number:
                await asyncio.sleep(pause_s)
            yield event


SLOW_FIRST_TOKEN = _pause_before_token(
    1,
    lambda _: 2.5,
    Defect(
        "stream-slow-first-token",
        "The first token takes two and a half seconds.",
        checks=("rag/model:first-token", "streaming/stream:first-token"),
    ),
)

STALLS = _pause_before_token(
    5,
    lambda _: 2.0,
    Defect("stream-stalls", "The tokens pause for two seconds in the middle.", checks=("streaming/stream:no-stall",)),
)

WITHOUT_HEARTBEAT = _pause_before_token(
    5,
    lambda settings: 2.5 * settings.times.heartbeat_s,
    Defect(
        "stream-without-heartbeat",
        "Nothing is sent while the model is silent, for longer than readers wait.",
        checks=("streaming/stream:no-silence",),
    ),
).changes(heartbeat, lambda _: b"")

SILENT_WITH_MODEL = Defect(
    "stream-silent-with-model",
    "A stream whose model is silent is silent, too, until it ends.",
    checks=("errors/chain:stream-heartbeat",),
).changes(heartbeat, lambda _: b"")

HEARTBEAT_AS_DATA = _pause_before_token(
    5,
    lambda settings: 1.5 * settings.times.heartbeat_s,
    Defect(
        "stream-heartbeat-as-data",
        "Heartbeats are events, which readers take for answers.",
        checks=("streaming/stream:order",),
    ),
).changes(heartbeat, lambda _: b'data: {"type": "heartbeat"}\n\n')
