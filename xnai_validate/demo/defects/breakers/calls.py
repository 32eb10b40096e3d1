"""Refusals and calls under a breaker that a client meets in the wrong form, or late."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from contextvars import ContextVar
from weakref import WeakKeyDictionary

from fastapi import Request

from xnai_validate.demo.api.answers.stream import events
from xnai_validate.demo.api.breakers.breaker import Breaker
from xnai_validate.demo.api.breakers.state import Snapshot
from xnai_validate.demo.api.failures import CircuitOpen, StoreUnavailable
from xnai_validate.demo.api.http.errors import refusal
from xnai_validate.demo.api.schemas import QueryRequest
from xnai_validate.demo.api.services import Services
from xnai_validate.demo.defects.defect import Defect
from xnai_validate.demo.defects.streaming.changes import Events, MakeEvents

_SLOW_REFUSAL_S = 4.0

CIRCUIT_OPEN_500 = Defect(
    "circuit-open-500",
    "A call that a breaker refuses is answered with 500.",
    checks=("breakers/cycle:refusal",),
).changes(refusal, lambda answer: (500, answer[1]))

RETRY_AFTER_MISSING = Defect(
    "retry-after-missing",
    "A call that a breaker refuses is answered without Retry-After.",
    checks=("breakers/cycle:retry-after", "breakers/open:refusal"),
).changes(refusal, lambda answer: (answer[0], {}))

RETRY_AFTER_TOO_LONG = Defect(
    "retry-after-too-long",
    "A refused client is sent away for an hour.",
    checks=("breakers/cycle:retry-after",),
).changes(refusal, lambda answer: (answer[0], {"Retry-After": "3600"}))

REFUSES_SLOWLY = Defect(
    "breaker-refuses-slowly",
    "A refusal takes as long as the call that it spares.",
    checks=("breakers/cycle:refuses-quickly", "breakers/open:refuses-many"),
)


@REFUSES_SLOWLY.wraps(Breaker.admit)
async def refuse_late(admit: Callable[[Breaker], Awaitable[str | None]], /, self: Breaker) -> str | None:
    """Refuse a call only after four seconds."""
    try:
        return await admit(self)
    except CircuitOpen:
        await asyncio.sleep(_SLOW_REFUSAL_S)
        raise


SPARED_BY_STREAMS = Defect(
    "breaker-ignored-by-streams",
    "Streams call the model without its breaker.",
    checks=("breakers/open:streams-too",),
)
_IN_STREAM: ContextVar[bool] = ContextVar("in_stream", default=False)


@SPARED_BY_STREAMS.wraps(events)
def remember_stream(original: MakeEvents, /, services: Services, question: QueryRequest, request: Request) -> Events:
    """Mark the context of a stream, by which `call_past_breaker` recognises its calls."""
    _IN_STREAM.set(True)
    return original(services, question, request)


@SPARED_BY_STREAMS.wraps(Breaker.call)
@asynccontextmanager
async def call_past_breaker(
    call: Callable[[Breaker], AbstractAsyncContextManager[None]], /, self: Breaker
) -> AsyncIterator[None]:
    """Let a call from a stream through without the breaker; any other call goes through it."""
    async with nullcontext() if _IN_STREAM.get() else call(self):
        yield


SERIALISES_CALLS = Defect(
    "breaker-serialises-calls",
    "Calls under a breaker run one after another.",
    checks=("breakers/cycle:side-by-side",),
)
_LOCKS: WeakKeyDictionary[Breaker, asyncio.Lock] = WeakKeyDictionary()


@SERIALISES_CALLS.wraps(Breaker.call)
@asynccontextmanager
async def call_in_turn(
    call: Callable[[Breaker], AbstractAsyncContextManager[None]], /, self: Breaker
) -> AsyncIterator[None]:
    """Let only one call at a time run under a breaker."""
    async with call(self), _LOCKS.setdefault(self, asyncio.Lock()):
        yield


NEEDS_REDIS = Defect(
    "breaker-needs-redis",
    "While Redis is away, every call under a breaker fails.",
    checks=("breakers/cycle:without-redis",),
)


@NEEDS_REDIS.wraps(Breaker.without_redis)
def fail_without_redis(
    _: Callable[[Breaker, StoreUnavailable], Snapshot], /, self: Breaker, error: StoreUnavailable
) -> Snapshot:
    """Raise the error of Redis, where the breaker would go on by the state in its memory."""
    raise error
