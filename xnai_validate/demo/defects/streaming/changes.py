"""What the defects of streams have in common: generators that change the events or the frames of another."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import aclosing
from typing import TypeVar

from fastapi import Request
from fastapi.responses import Response

from xnai_validate.demo.api.answers.frames import Event, frames
from xnai_validate.demo.api.answers.stream import events
from xnai_validate.demo.api.schemas import QueryRequest
from xnai_validate.demo.api.services import Services
from xnai_validate.demo.defects.defect import Defect
from xnai_validate.demo.settings import Settings

T = TypeVar("T")
Events = AsyncGenerator[Event, None]
Frames = AsyncGenerator[bytes, None]
MakeEvents = Callable[[Services, QueryRequest, Request], Events]
MakeFrames = Callable[[Settings, QueryRequest, Events], Frames]
ToResponse = Callable[[Frames], Response]
EventChange = Callable[[Event], Iterator[Event]]


def change_events(defect: Defect, make_change: Callable[[], EventChange]) -> Defect:
    """Let a defect replace each event of a stream; `make_change` is called for each stream."""

    @defect.wraps(events)
    def changed(original: MakeEvents, /, services: Services, question: QueryRequest, request: Request) -> Events:
        return each_replaced(original(services, question, request), make_change())

    return defect


def change_events_of(kind: str, defect: Defect, change: Callable[[Event], list[Event]]) -> Defect:
    """Let a defect replace each event of one type."""
    return change_events(defect, lambda: lambda event: iter(change(event) if event.get("type") == kind else [event]))


def change_token(number: int, defect: Defect, change: Callable[[Event], list[Event]]) -> Defect:
    """Let a defect replace one token of each stream, counted from 1."""

    def make_change() -> EventChange:
        tokens = 0

        def changed(event: Event) -> Iterator[Event]:
            nonlocal tokens
            if event.get("type") != "token":
                yield event
                return
            tokens += 1
            yield from change(event) if tokens == number else [event]

        return changed

    return change_events(defect, make_change)


def change_frames(defect: Defect, make_change: Callable[[], Callable[[bytes], list[bytes]]]) -> Defect:
    """Let a defect replace each frame of a stream; `make_change` is called for each stream."""

    @defect.wraps(frames)
    def changed(original: MakeFrames, /, settings: Settings, question: QueryRequest, events: Events) -> Frames:
        change = make_change()
        return each_replaced(original(settings, question, events), lambda frame: iter(change(frame)))

    return defect


async def each_replaced(source: AsyncGenerator[T, None], change: Callable[[T], Iterator[T]]) -> AsyncGenerator[T, None]:
    """The items of a generator, each replaced by what `change` makes of it."""
    async with aclosing(source):
        async for item in source:
            for changed in change(item):
                yield changed
