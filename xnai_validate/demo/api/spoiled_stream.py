"""The token streams of a stack that has defects: the healthy events and responses, then spoiled.

Each function returns what it is given where the stack has none of its defects.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterator, Mapping
from contextlib import aclosing

from pydantic import JsonValue
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from xnai_validate.demo.event_stream import EventStream, HeedlessEventStream
from xnai_validate.demo.settings import Settings

Event = dict[str, JsonValue]
Events = AsyncGenerator[Event, None]
Frames = AsyncGenerator[bytes, None]
Change = Callable[[Event], Iterator[Event]]

_FIRST_TOKEN_AFTER_S = 2.5
_GAP_S = 2.0
_EACH_TOKEN_S = 0.1
_HUGE = "x" * 70_000
_OTHER_TEXT = " The weather is fine and nothing else is known."
_ONE_AT_A_TIME = asyncio.Lock()
_STREAMS_MOST = 6
_HALT_EVERY = 10
_HALT_BESIDE = 3
_BREATH_S = 1.0
_HALT_S = 1.0
_STREAMING: set[object] = set()


class ConnectionCut(Exception):
    """The defect `stream-cut-off`: the stream ends in the middle, without a last chunk."""


def events(settings: Settings, told: Events) -> Events:
    """The events of a stream; the empty one at the beginning stays first."""
    if not settings.defects:
        return told
    told = _pauses(settings, told)
    for change in _changes(settings):
        told = _changed(told, change)
    if settings.broken("stream-one-at-a-time"):
        told = _one_at_a_time(told)
    if settings.broken("streams-cut-under-load"):
        told = _cut_when_many(told)
    if settings.broken("stream-halts-beside-others"):
        told = _halting_when_many(told)
    if settings.broken("stream-never-ends"):
        told = _followed_by_silence(told)
    return told


def heartbeat(settings: Settings, beat: bytes) -> bytes:
    """What is sent while the model is silent."""
    if settings.broken("stream-heartbeat-as-data"):
        return b'data: {"type": "heartbeat"}\n\n'
    return b"" if settings.broken("stream-without-heartbeat") else beat


def response(settings: Settings, body: Frames, headers: Mapping[str, str]) -> Response:
    """The response that carries the frames."""
    broken, headers = settings.broken, dict(headers)
    if broken("stream-cacheable"):
        headers.pop("Cache-Control")
    if broken("stream-accel-buffering"):
        headers.pop("X-Accel-Buffering")
    if broken("stream-gzip"):
        headers["Content-Encoding"] = "gzip"
    media_type = "text/plain" if broken("stream-content-type") else None
    if broken("stream-whole-body"):
        return _Whole(body, headers=headers, media_type=media_type)
    if broken("stream-generator-survives"):
        return HeedlessEventStream(body, headers=headers, media_type=media_type)
    return EventStream(body, headers=headers, media_type=media_type)


def most_tokens(settings: Settings, asked_for: int) -> float:
    """How many tokens are passed on: all that the model gives, where it was told the limit itself."""
    return asked_for if settings.broken("stream-limit-applied-late") else float("inf")


def echoed(settings: Settings, question: str, body: Frames) -> Frames:
    """The frames; with the question in a comment before them, as it was sent, where the stack has that defect."""
    return _after(question, body) if settings.broken("stream-echoes-question") else body


async def _after(question: str, body: Frames) -> Frames:
    yield f": {question}\n\n".encode("utf-8", "replace")
    async with aclosing(body):
        async for frame in body:
            yield frame


class _Whole(EventStream):
    """A stream that is collected first and sent with its length."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async with aclosing(self._pieces) as pieces:
            whole = b"".join([piece async for piece in pieces])
        await Response(whole, headers=dict(self.headers))(scope, receive, send)


def _pauses(settings: Settings, told: Events) -> Events:
    """The pauses that a defect makes, before the first token or in the middle."""
    beat_s, broken = settings.times.heartbeat_s, settings.broken
    if broken("stream-slow-first-token"):
        told = _paused(told, 1, _FIRST_TOKEN_AFTER_S)
    if broken("stream-throttled"):
        told = _slowed(told, _EACH_TOKEN_S)
    if broken("stream-stalls"):
        told = _paused(told, 5, _GAP_S)
    if broken("stream-without-heartbeat"):
        told = _paused(told, 5, 2.5 * beat_s)
    if broken("stream-heartbeat-as-data"):
        told = _paused(told, 5, 1.5 * beat_s)
    return told


def _changes(settings: Settings) -> Iterator[Change]:
    """What the defects of this stack do to events, one after the other."""
    broken = settings.broken
    if broken("stream-without-done"):
        yield lambda event: iter(() if event.get("type") == "done" else (event,))
    if broken("stream-without-sources"):
        yield lambda event: iter(() if event.get("type") == "sources" else (event,))
    if broken("stream-done-miscounts"):
        yield _on("done", lambda event: [event | {"tokens": int(str(event["tokens"])) + 3}])
    if broken("stream-done-without-latency"):
        yield _on("done", lambda event: [{"type": "done", "tokens": event["tokens"]}])
    if broken("stream-error-then-done"):
        yield _on("done", lambda event: [{"type": "error", "error": "The answer may be incomplete."}, event])
    if broken("stream-error-swallowed"):
        yield _on("error", lambda _: [{"type": "done", "tokens": 0, "latency_ms": 0.0}])
    if broken("stream-token-renamed"):
        yield _on("token", lambda event: [{"type": "token", "text": event["content"]}])
    if broken("stream-other-text"):
        yield _other_text()
    if broken("stream-other-sources"):
        yield _on("sources", lambda event: [event | {"sources": ["memory-budget.md"]}])
    if broken("stream-splits-characters"):
        yield _on("token", lambda event: [event | {"content": _split(str(event["content"]))}])
    yield from _misorders(settings)


def _misorders(settings: Settings) -> Iterator[Change]:
    """Defects of the order and the number of events."""
    broken = settings.broken
    if broken("stream-done-early"):
        yield _held_back("token", until="done", before=False)
    if broken("stream-sources-late"):
        yield _held_back("sources", until="done", before=True)
    if broken("stream-tokens-swapped"):
        yield _swapped()
    if broken("stream-tokens-doubled"):
        yield _at_token(3, lambda event: [event, event])
    if broken("stream-empty-tokens"):
        yield _on("token", lambda event: [event, {"type": "token", "content": ""}])
    if broken("stream-oversized-event"):
        yield _at_token(3, lambda event: [event, {"type": "token", "content": _HUGE}])
    if broken("stream-cut-off"):
        yield _at_token(5, _cut)


def _on(kind: str, change: Callable[[Event], list[Event]]) -> Change:
    """Change events of one type."""
    return lambda event: iter(change(event) if event.get("type") == kind else [event])


def _at_token(number: int, change: Callable[[Event], list[Event]]) -> Change:
    """Change one token, counted from 1."""
    seen = 0

    def at(event: Event) -> Iterator[Event]:
        nonlocal seen
        seen += event.get("type") == "token"
        yield from change(event) if event.get("type") == "token" and seen == number else [event]

    return at


def _split(text: str) -> str:
    """A text of which every character of several bytes was decoded byte by byte."""
    return "".join(char if char.isascii() else "\ufffd" * len(char.encode("utf-8", "replace")) for char in text)


def _cut(_: Event) -> list[Event]:
    raise ConnectionCut("the stream is cut off by its defect")


def _other_text() -> Change:
    """Answer something else, as long as the answer would have been."""
    words = _OTHER_TEXT.split(" ")[1:]
    said = 0

    def other(event: Event) -> Iterator[Event]:
        nonlocal said
        if event.get("type") == "token":
            event = event | {"content": f" {words[said % len(words)]}"}
            said += 1
        yield event

    return other


def _held_back(kind: str, *, until: str, before: bool) -> Change:
    """Hold back the last event of one type until one of another comes, and tell it before or after that."""
    held: list[Event] = []

    def hold(event: Event) -> Iterator[Event]:
        if event.get("type") == kind:
            yield from held
            held[:] = [event]
        elif event.get("type") == until:
            yield from (*held, event) if before else (event, *held)
            held.clear()
        else:
            yield event

    return hold


def _swapped() -> Change:
    """Tell the third token before the second."""
    seen = 0
    held: list[Event] = []

    def swap(event: Event) -> Iterator[Event]:
        nonlocal seen
        seen += event.get("type") == "token"
        if seen == 2 and event.get("type") == "token":
            held.append(event)
            return
        yield event
        yield from held
        held.clear()

    return swap


async def _changed(told: Events, change: Change) -> Events:
    async with aclosing(told):
        async for event in told:
            for changed in change(event):
                yield changed


async def _paused(told: Events, at_token: int, seconds: float) -> Events:
    """Say nothing for a while before one token, counted from 1."""
    seen = 0
    async with aclosing(told):
        async for event in told:
            seen += event.get("type") == "token"
            if event.get("type") == "token" and seen == at_token:
                await asyncio.sleep(seconds)
            yield event


async def _slowed(told: Events, seconds: float) -> Events:
    """Take so long for each token."""
    async with aclosing(told):
        async for event in told:
            if event.get("type") == "token":
                await asyncio.sleep(seconds)
            yield event


async def _one_at_a_time(told: Events) -> Events:
    """Let one stream run while all others wait, and take a breath after each."""
    async with aclosing(told), _ONE_AT_A_TIME:
        async for event in told:
            yield event
        await asyncio.sleep(_BREATH_S)


async def _cut_when_many(told: Events) -> Events:
    """Break the streams off that are too many for one worker."""
    me, count = object(), 0
    _STREAMING.add(me)
    try:
        async with aclosing(told):
            async for event in told:
                count += 1
                if count > 3 and len(_STREAMING) > _STREAMS_MOST:
                    raise ConnectionCut("too many streams at once")
                yield event
    finally:
        _STREAMING.discard(me)


async def _halting_when_many(told: Events) -> Events:
    """Stand still again and again while others are served."""
    me, count = object(), 0
    _STREAMING.add(me)
    try:
        async with aclosing(told):
            async for event in told:
                count += 1
                if count % _HALT_EVERY == 0 and len(_STREAMING) > _HALT_BESIDE:
                    await asyncio.sleep(_HALT_S)
                yield event
    finally:
        _STREAMING.discard(me)


async def _followed_by_silence(told: Events) -> Events:
    """Keep the connection after the last event."""
    async with aclosing(told):
        async for event in told:
            yield event
        await asyncio.Event().wait()
        yield {}
