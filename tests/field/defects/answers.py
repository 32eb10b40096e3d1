"""Defects of questions and streams."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import replace
from typing import Any

from aiohttp import web

from tests.field.api import answers, app, queries
from tests.field.api.answers import plan as healthy_plan
from tests.field.api.queries import query as healthy_query
from tests.field.api.queries import stream as healthy_stream
from tests.field.defects.defect import Defect, put

_kept: list[Any] = []


def _cites_without_rag() -> None:
    def plan(question: str, *, use_rag: bool, **limits: int) -> answers.Plan:
        chosen = healthy_plan(question, use_rag=use_rag, **limits)
        return chosen if use_rag else replace(chosen, sources=healthy_plan(question, use_rag=True, **limits).sources)

    put(queries, "plan", plan)


def _answers_mixed() -> None:
    latest: list[tuple[str, ...]] = []

    def plan(question: str, **options: Any) -> answers.Plan:
        chosen = healthy_plan(question, **options)
        latest[:] = [chosen.words]
        return chosen

    async def generate(_: tuple[str, ...]) -> AsyncGenerator[str, None]:
        async with aclosing(answers.generate(latest[0])) as tokens:
            async for token in tokens:
                yield token

    put(queries, "plan", plan)
    put(queries, "generate", generate)


def _one_by_one() -> None:
    turn = asyncio.Lock()

    async def query(request: web.Request) -> web.StreamResponse:
        async with turn:
            return await healthy_query(request)

    put(app, "query", query)


def _files_open() -> None:
    async def query(request: web.Request) -> web.StreamResponse:
        _kept.append(tempfile.TemporaryFile())  # noqa: SIM115
        return await healthy_query(request)

    put(app, "query", query)


def _buffered() -> None:
    healthy = web.StreamResponse.write
    pending: dict[web.StreamResponse, bytes] = {}

    async def write(self: web.StreamResponse, data: bytes) -> None:
        if self.content_type != "text/event-stream":
            return await healthy(self, data)
        pending[self] = pending.get(self, b"") + data
        if b'"type":"done"' in data or b'"type":"error"' in data:
            return await healthy(self, pending.pop(self))
        return None

    put(web.StreamResponse, "write", write)


def _goes_on() -> None:
    """The work of a stream is a task of its own, which the end of the request does not cancel."""

    async def stream(request: web.Request) -> web.StreamResponse:
        task = asyncio.create_task(healthy_stream(request))
        _kept.append(task)
        return await asyncio.shield(task)

    async def write(self: web.StreamResponse, data: bytes, _healthy: Any = web.StreamResponse.write) -> None:
        try:
            await _healthy(self, data)
        except ConnectionError:
            return

    put(web.StreamResponse, "write", write)
    put(app, "stream", stream)


def _another_answer() -> None:
    healthy = queries._send

    async def send(response: Any, state: Any, chosen: answers.Plan, question: Any, begun: float) -> int:
        return await healthy(response, state, replace(chosen, words=chosen.words[:-3] or chosen.words), question, begun)

    put(queries, "_send", send)


def _keeps_memory() -> None:
    async def stream(request: web.Request) -> web.StreamResponse:
        _kept.append(b"x" * 7_000_000)
        return await healthy_stream(request)

    put(app, "stream", stream)


DEFECTS = (
    Defect(
        "query-cites-without-rag",
        "api.query.without-rag",
        "An answer names sources although use_rag is false.",
        _cites_without_rag,
    ),
    Defect(
        "query-answers-mixed",
        "api.isolation",
        "Of two questions at once, the first gets the answer to the second.",
        _answers_mixed,
    ),
    Defect("query-one-by-one", "api.concurrency", "A question waits until the one before it is answered.", _one_by_one),
    Defect("stream-buffered", "stream.unbuffered", "All events of a stream arrive at its end.", _buffered),
    Defect(
        "stream-another-answer",
        "stream.same-answer",
        "A stream ends three words before the query's answer to the same question.",
        _another_answer,
    ),
    Defect("stream-goes-on", "stream.cleanup", "Generation goes on after the client has left.", _goes_on),
    Defect("resources-memory-kept", "memory.no-leak", "Each stream leaves about 7 MB of memory behind.", _keeps_memory),
    Defect(
        "resources-files-open",
        "practice.descriptors",
        "Each question opens a file that is never closed.",
        _files_open,
    ),
)
