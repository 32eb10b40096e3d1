"""`/stream`: its events, their times, and what a reader leaves behind that leaves early."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest

from tests.demo.api.running import RedisServer, Running, events, eventually, running, settings
from xnai_validate.demo.settings import Layout

QUESTION = "What is Xoe-NovAi?"
LONG = "Tell me everything about the circuit breakers and the degradation tiers in detail"


@pytest.mark.parametrize("path", ["/query", "/stream"])
def test_max_tokens_bounds_the_answer(path: str, redis: RedisServer, tmp_path: Path) -> None:
    """An answer has no more tokens than the request allows."""

    async def ask() -> None:
        async with running(settings(redis, tmp_path), redis) as stack:
            answer = await stack.client.post(path, json={"query": QUESTION, "max_tokens": 7})
            made = answer.json()["tokens_generated"] if path == "/query" else events(answer.text)[-1]["tokens"]
            assert made == 7

    asyncio.run(ask())


@pytest.mark.parametrize("layout", ["A", "B"])
def test_a_stream_has_sources_then_tokens_then_their_number(layout: Layout, redis: RedisServer, tmp_path: Path) -> None:
    """The events come in the promised order, and their text is the answer of `/query`."""

    async def ask() -> None:
        async with running(settings(redis, tmp_path, layout), redis) as stack:
            answer = await stack.client.post("/stream", json={"query": QUESTION})
            sent = events(answer.text)
            tokens = [event["content"] for event in sent if event["type"] == "token"]
            whole = (await stack.client.post("/query", json={"query": QUESTION})).json()
            assert answer.headers["content-type"] == "text/event-stream; charset=utf-8"
            assert answer.headers["cache-control"] == "no-cache"
            assert answer.headers["x-accel-buffering"] == "no"
            assert "content-length" not in answer.headers
            assert [event["type"] for event in sent] == ["sources", *["token"] * len(tokens), "done"]
            assert sent[0]["sources"] == whole["sources"]
            assert sent[-1]["tokens"] == len(tokens)
            assert sent[-1]["latency_ms"] > 0
            assert "".join(tokens) == whole["response"]

    asyncio.run(ask())


def test_tokens_arrive_as_they_are_generated(redis: RedisServer, tmp_path: Path) -> None:
    """The first token is there long before the last: nothing holds the stream back."""

    async def ask() -> None:
        async with running(settings(redis, tmp_path, token_delay_s=0.02), redis) as stack:
            arrived: list[float] = []
            async with stack.client.stream("POST", "/stream", json={"query": QUESTION}) as answer:
                async for line in answer.aiter_lines():
                    if '"token"' in line:
                        arrived.append(time.perf_counter())
            assert arrived[-1] - arrived[0] > 0.3

    asyncio.run(ask())


def test_a_silent_model_is_bridged_by_heartbeats(redis: RedisServer, tmp_path: Path) -> None:
    """While no token comes, comments come; the events are the same as ever."""

    async def ask() -> None:
        slow = settings(redis, tmp_path, token_delay_s=0.5, heartbeat_s=0.1)
        async with running(slow, redis) as stack:
            answer = await stack.client.post("/stream", json={"query": QUESTION, "max_tokens": 2})
            assert answer.text.count(": heartbeat\n\n") >= 2
            assert [event["type"] for event in events(answer.text)] == ["sources", "token", "token", "done"]

    asyncio.run(ask())


def test_generation_stops_when_the_reader_leaves(redis: RedisServer, tmp_path: Path) -> None:
    """A reader that leaves early ends the generation in the model server, and no session remains."""

    async def ask() -> None:
        async with running(settings(redis, tmp_path, token_delay_s=0.05), redis) as stack:
            async with stack.client.stream("POST", "/stream", json={"query": LONG}) as answer:
                async for line in answer.aiter_lines():
                    if '"token"' in line:
                        break
                assert (await stack.metrics())["xnai_active_sessions"] == 1

            async def stopped() -> bool:
                return (await stack.model())["requests_processing"] == 0

            async def is_idle() -> bool:
                return (await stack.metrics())["xnai_active_sessions"] == 0

            await eventually(stopped, "the generation stopped")
            await eventually(is_idle, "no active session")
            assert (await stack.model())["tokens_predicted_total"] < 60
            assert stack.breaker("rag_api")["total_failures"] == 0

    asyncio.run(ask())


def test_a_model_that_dies_is_an_error_and_no_done_follows(redis: RedisServer, tmp_path: Path) -> None:
    """The stream ends with one error event in words for a reader; the failure counts against the breaker."""

    async def ask() -> None:
        async with running(settings(redis, tmp_path, token_delay_s=0.05), redis) as stack:
            lines: list[str] = []
            async with stack.client.stream("POST", "/stream", json={"query": LONG}) as answer:
                assert answer.status_code == 200
                async for line in answer.aiter_lines():
                    lines.append(line)
                    if len(lines) == 8:
                        await stack.stop("llm")
            sent = events("\n".join(lines) + "\n")
            assert sent[-1] == {"type": "error", "error": "The language model could not answer."}
            assert [event["type"] for event in sent].count("error") == 1
            assert "done" not in {event["type"] for event in sent}
            assert stack.breaker("rag_api")["failure_count"] == 1
            assert (await stack.metrics())['xnai_errors_total{component="llm",error_type="model_error"}'] == 1

    asyncio.run(ask())


def test_many_streams_at_once_all_end_well(redis: RedisServer, tmp_path: Path) -> None:
    """Thirty readers at once each get their whole answer, side by side rather than one after another."""

    async def stream_once(stack: Running) -> int:
        answer = await stack.client.post("/stream", json={"query": QUESTION})
        return int(events(answer.text)[-1]["tokens"])

    async def ask() -> None:
        async with running(settings(redis, tmp_path, token_delay_s=0.02), redis) as stack:
            started = time.perf_counter()
            tokens = await stream_once(stack)
            alone_s = time.perf_counter() - started
            started = time.perf_counter()
            assert await asyncio.gather(*(stream_once(stack) for _ in range(30))) == [tokens] * 30
            assert time.perf_counter() - started < 12 * alone_s
            assert (await stack.metrics())['xnai_queries_processed_total{rag_enabled="true"}'] == 31

    asyncio.run(ask())
