"""Answers that go to the wrong client, and time-outs that spoil the answers after them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from fastapi import Request

from xnai_validate.demo.api.answers.turn import Kind, Turn, answering
from xnai_validate.demo.api.failures import ModelError
from xnai_validate.demo.api.schemas import QueryRequest
from xnai_validate.demo.api.services import Services
from xnai_validate.demo.defects.defect import Defect

_HELD_MS = 10_000
_TIMED_OUT = 504

Answering = Callable[[Services, Kind, QueryRequest, Request], AbstractAsyncContextManager[Turn]]


def _share_while_busy(defect: Defect, shared: Kind) -> Defect:
    """Let a defect answer every question that comes while another is being answered with the answer to that one.

    The first client holds a key in Redis, so that all workers share it, until the answer is complete.
    """

    @defect.wraps(answering)
    @asynccontextmanager
    async def sharing(
        original: Answering, /, services: Services, kind: Kind, question: QueryRequest, request: Request
    ) -> AsyncIterator[Turn]:
        if kind != shared:
            async with original(services, kind, question, request) as turn:
                yield turn
            return
        run, key = services.store.run, f"xnai:busy:{kind}"
        is_first = await run(lambda redis: redis.set(key, question.query, nx=True, px=_HELD_MS))
        if not is_first:
            text = await run(lambda redis: redis.get(key))
            question = question.model_copy(update={"query": text}) if isinstance(text, str) else question
        try:
            async with original(services, kind, question, request) as turn:
                yield turn
        finally:
            if is_first:
                await run(lambda redis: redis.delete(key))

    return defect


QUERIES_SHARED = _share_while_busy(
    Defect(
        "answers-shared-while-busy",
        "A question that comes while another is being answered gets the answer to that one.",
        checks=("rag/isolation:callers",),
    ),
    "query",
)

STREAMS_SHARED = _share_while_busy(
    Defect(
        "streams-shared-while-busy",
        "A stream that begins while another is running carries the answer of that one.",
        checks=("rag/isolation:streams",),
    ),
    "stream",
)


def _poison_after_timeout(defect: Defect, poisoned: Kind) -> Defect:
    """Let a defect fail every question of one kind once the model has timed out for one."""

    @defect.wraps(answering)
    @asynccontextmanager
    async def poisoning(
        original: Answering, /, services: Services, kind: Kind, question: QueryRequest, request: Request
    ) -> AsyncIterator[Turn]:
        key = f"xnai:poisoned:{kind}"
        if kind == poisoned:
            is_poisoned = await services.store.run(lambda redis: redis.exists(key))
            if is_poisoned:
                raise ModelError("the connection to the model is dead")
        turn: Turn | None = None
        try:
            async with original(services, kind, question, request) as turn:
                yield turn
        finally:
            if kind == poisoned and turn is not None and turn.status == _TIMED_OUT:
                await services.store.run(lambda redis: redis.set(key, "1"))

    return defect


QUERY_POISONED = _poison_after_timeout(
    Defect(
        "query-timeout-poisons",
        "Once the model has timed out in a query, no query is answered any more.",
        checks=("rag/failure:query-again",),
    ),
    "query",
)

STREAM_POISONED = _poison_after_timeout(
    Defect(
        "stream-timeout-poisons",
        "Once the model has timed out in a stream, no stream is answered any more.",
        checks=("rag/failure:stream-again",),
    ),
    "stream",
)
