"""Streams that end too early or never, and readers that leave something behind."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager

from fastapi import Request
from fastapi.responses import Response

from xnai_validate.demo.api.answers.frames import Event
from xnai_validate.demo.api.answers.stream import events, headers, to_response
from xnai_validate.demo.api.answers.turn import CLIENT_LEFT, Kind, Turn, answering, status_of
from xnai_validate.demo.api.schemas import QueryRequest
from xnai_validate.demo.api.services import Services
from xnai_validate.demo.defects.defect import Defect
from xnai_validate.demo.defects.heedless_stream import HeedlessEventStream
from xnai_validate.demo.defects.streaming.changes import Events, Frames, MakeEvents, ToResponse, change_token

Answering = Callable[[Services, Kind, QueryRequest, Request], AbstractAsyncContextManager[Turn]]


class ConnectionCut(Exception):
    """Ends a stream in the middle, without a last chunk."""


def _cut(_: Event) -> list[Event]:
    """Raise ConnectionCut in the place of an event."""
    raise ConnectionCut("the stream is cut off by its defect")


CUT_OFF = change_token(
    5,
    Defect("stream-cut-off", "The connection breaks in the middle of the answer.", checks=("streaming/stream:frames",)),
    _cut,
)

NEVER_ENDS = Defect(
    "stream-never-ends", "The connection stays open after the last event.", checks=("streaming/stream:frames",)
)


@NEVER_ENDS.wraps(events)
def endless_events(original: MakeEvents, /, services: Services, question: QueryRequest, request: Request) -> Events:
    """Send the events, and keep the stream open after the last one."""
    return _followed_by_silence(original(services, question, request))


async def _followed_by_silence(source: Events) -> Events:
    """Yield the events, then wait for ever."""
    async with aclosing(source):
        async for event in source:
            yield event
        await asyncio.Event().wait()
        yield {}


GENERATOR_SURVIVES = Defect(
    "stream-generator-survives",
    "The answer is generated to its end although the reader has left.",
    checks=("streaming/cleanup:generation-stops", "streaming/cleanup:tokens-counted"),
)


@GENERATOR_SURVIVES.wraps(to_response)
def heedless_response(_: ToResponse, /, body: Frames) -> Response:
    """Return a response that goes on when its reader has left."""
    return HeedlessEventStream(body, headers=headers())


MEMORY_KEPT = Defect(
    "stream-keeps-memory",
    "The API keeps eight megabytes for every stream that it has answered.",
    checks=("streaming/cleanup:no-memory-leak",),
)
_KEPT: list[bytes] = []


@MEMORY_KEPT.wraps(to_response)
def keep_memory(original: ToResponse, /, body: Frames) -> Response:
    """Keep eight megabytes for ever, and send the stream as usual."""
    _KEPT.append(b"x" * 8_000_000)
    return original(body)


def _when_client_left(defect: Defect, leak: Callable[[Services], object]) -> Defect:
    """Let a defect do something whenever a reader leaves before the end of its answer."""

    @defect.wraps(answering)
    @asynccontextmanager
    async def leaking(
        original: Answering, /, services: Services, kind: Kind, question: QueryRequest, request: Request
    ) -> AsyncIterator[Turn]:
        async with original(services, kind, question, request) as turn:
            try:
                yield turn
            except BaseException as error:
                if turn.status == CLIENT_LEFT == status_of(error):
                    leak(services)
                raise

    return defect


DESCRIPTOR_LEAK = _when_client_left(
    Defect(
        "stream-descriptor-leak",
        "A reader that leaves early costs the API an open file for ever.",
        checks=("streaming/cleanup:no-descriptors-leak",),
    ),
    lambda _: os.open(os.devnull, os.O_RDONLY),
)

SESSION_LEAK = _when_client_left(
    Defect(
        "stream-session-leak",
        "A reader that leaves early counts as an active session for ever.",
        checks=("streaming/cleanup:sessions-return",),
    ),
    lambda services: services.metrics.sessions.inc(),
)
