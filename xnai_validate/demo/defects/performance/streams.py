"""Streams that wait for one another, break off or halt when there are several, or are slow."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import aclosing, contextmanager
from weakref import WeakKeyDictionary

from fastapi import Request

from xnai_validate.demo.api.answers.stream import events
from xnai_validate.demo.api.schemas import QueryRequest
from xnai_validate.demo.api.services import Services
from xnai_validate.demo.api.store import Store
from xnai_validate.demo.defects.defect import Defect
from xnai_validate.demo.defects.streaming.changes import Events, MakeEvents
from xnai_validate.demo.defects.streaming.ending import ConnectionCut

_STREAMS_MOST = 6
_HALT_EVERY = 10
_HALT_BESIDE = 3
_HALT_S = 1.0
_PAUSE_S = 1.0
_EACH_TOKEN_S = 0.1


def _replace_events(defect: Defect, replace: Callable[[Services, Events], Events]) -> Defect:
    """Let a defect replace the events of each stream as a whole."""

    @defect.wraps(events)
    def replaced(original: MakeEvents, /, services: Services, question: QueryRequest, request: Request) -> Events:
        return replace(services, original(services, question, request))

    return defect


_LOCKS: WeakKeyDictionary[Store, asyncio.Lock] = WeakKeyDictionary()
_STREAMING: WeakKeyDictionary[Store, set[object]] = WeakKeyDictionary()
"""The streams under way, of each application."""


@contextmanager
def _under_way(services: Services) -> Iterator[set[object]]:
    """Count a stream as under way during the block; all that are under way are in the set."""
    streams = _STREAMING.setdefault(services.store, set())
    mark = object()
    streams.add(mark)
    try:
        yield streams
    finally:
        streams.discard(mark)


async def _in_turn(services: Services, source: Events) -> Events:
    """Send a stream after the one before has ended, and one second later."""
    async with aclosing(source), _LOCKS.setdefault(services.store, asyncio.Lock()):
        async for event in source:
            yield event
        await asyncio.sleep(_PAUSE_S)


ONE_AT_A_TIME = _replace_events(
    Defect(
        "stream-one-at-a-time",
        "A stream begins only when the one before has ended.",
        checks=("performance/load:streams",),
    ),
    _in_turn,
)


async def _cut_when_many(services: Services, source: Events) -> Events:
    """Cut a stream after its third event while many streams are under way."""
    number = 0
    with _under_way(services) as streams:
        async with aclosing(source):
            async for event in source:
                number += 1
                if number > 3 and len(streams) > _STREAMS_MOST:
                    raise ConnectionCut("too many streams at once")
                yield event


CUT_UNDER_LOAD = _replace_events(
    Defect(
        "streams-cut-under-load",
        "With more than six streams in a worker, some break off.",
        checks=("performance/load:streams",),
    ),
    _cut_when_many,
)


async def _halt_beside_others(services: Services, source: Events) -> Events:
    """Halt a stream at intervals while other streams are under way."""
    number = 0
    with _under_way(services) as streams:
        async with aclosing(source):
            async for event in source:
                number += 1
                if number % _HALT_EVERY == 0 and len(streams) > _HALT_BESIDE:
                    await asyncio.sleep(_HALT_S)
                yield event


HALTS_BESIDE_OTHERS = _replace_events(
    Defect(
        "stream-halts-beside-others",
        "With three others in its worker, a stream halts for a second after every ten events.",
        checks=("performance/load:tokens",),
    ),
    _halt_beside_others,
)


async def _slowed(_: Services, source: Events) -> Events:
    """Send each token a tenth of a second late."""
    async with aclosing(source):
        async for event in source:
            if event.get("type") == "token":
                await asyncio.sleep(_EACH_TOKEN_S)
            yield event


THROTTLED = _replace_events(
    Defect("stream-throttled", "Each token of a stream takes a tenth of a second.", checks=("rag/model:rate",)),
    _slowed,
)
