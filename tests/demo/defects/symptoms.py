"""Symptoms: what a client of a stack with a defect can observe."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from typing import Any

import httpx

from tests.demo.api.running import Running, eventually

Symptom = Callable[[Running], Awaitable[bool]]

QUESTION = {"query": "What is Xoe-NovAi?"}
LONG = {"query": "Tell me everything about breakers, memory, the gateway, voice and retrieval in detail"}


def of_query(shows: Callable[[dict[str, Any]], bool], **fields: object) -> Symptom:
    """A symptom of the answer to a query."""

    async def look(stack: Running) -> bool:
        return shows((await stack.client.post("/query", json=QUESTION | fields)).json())

    return look


def of_health(shows: Callable[[dict[str, Any]], bool]) -> Symptom:
    """A symptom of the health report."""

    async def look(stack: Running) -> bool:
        return shows((await stack.client.get("/health")).json())

    return look


def of_answer(shows: Callable[[httpx.Response], bool], method: str, path: str, **arguments: Any) -> Symptom:
    """A symptom of the answer to some request."""

    async def look(stack: Running) -> bool:
        return shows(await stack.client.request(method, path, **arguments))

    return look


def of_invalid(shows: Callable[[httpx.Response], bool]) -> Symptom:
    """A symptom of the answer to an invalid request."""
    return of_answer(shows, "POST", "/query", json={"query": ""})


def of_root(shows: Callable[[httpx.Response], bool], path: str) -> Symptom:
    """A symptom of what lies at the API's root."""

    async def look(stack: Running) -> bool:
        return shows(await stack.root.get(path))

    return look


def of_metrics(shows: Callable[[dict[str, float]], bool]) -> Symptom:
    """A symptom of the metrics after three questions and an error, one of the questions as a stream."""

    async def look(stack: Running) -> bool:
        before = await stack.metrics()
        for path, question in (
            ("/query", QUESTION),
            ("/query", QUESTION),
            ("/stream", QUESTION),
            ("/query", {"query": ""}),
        ):
            await stack.client.post(path, json=question)
        after = await stack.metrics()
        return shows({name: value - before.get(name, 0.0) for name, value in after.items()})

    return look


def of_stream(shows: Callable[[str], bool]) -> Symptom:
    """A symptom of the text of a stream; bytes that are not UTF-8 are shown as U+FFFD."""

    async def look(stack: Running) -> bool:
        return shows(await transcript(stack))

    return look


def of_tokens(shows: Callable[[list[str]], bool]) -> Symptom:
    """A symptom of the types of the events in a stream."""
    return of_stream(lambda text: shows([event.get("type", "") for event in events_in(text)]))


async def transcript(stack: Running) -> str:
    """What a stream sends, until it ends or breaks off."""
    received = b""
    try:
        async with stack.client.stream("POST", "/stream", json=QUESTION) as answer:
            async for chunk in answer.aiter_raw():
                received += chunk
    except httpx.RemoteProtocolError:
        received += b"<cut off>"
    return received.decode("utf-8", "replace")


def events_in(text: str) -> list[dict[str, Any]]:
    """The events of a stream that are readable JSON."""
    events: list[dict[str, Any]] = []
    for block in text.split("\n\n"):
        try:
            event = json.loads(block.removeprefix("data: "))
        except ValueError:
            continue
        if isinstance(event, dict):
            events.append(event)
    return events


def content(text: str) -> str:
    """The text of a streamed answer."""
    return "".join(str(event.get("content", "")) for event in events_in(text) if event.get("type") == "token")


async def another_text(stack: Running) -> bool:
    """Whether the stream answers something else than the query."""
    whole = (await stack.client.post("/query", json=QUESTION)).json()
    return bool(content(await transcript(stack)) != whole["response"])


async def gap_s(stack: Running) -> float:
    """The longest time without a byte of a stream, counted from the request."""
    longest, before = 0.0, time.perf_counter()
    async with stack.client.stream("POST", "/stream", json=QUESTION) as answer:
        async for _ in answer.aiter_raw():
            now = time.perf_counter()
            longest, before = max(longest, now - before), now
    return longest


async def long_gap(stack: Running) -> bool:
    """Whether a stream is silent for longer than two heartbeats."""
    return await gap_s(stack) > 2 * stack.settings.times.heartbeat_s


async def is_idle(stack: Running) -> bool:
    """Whether the model server generates nothing."""
    return (await stack.model())["requests_processing"] == 0


async def generates_on(stack: Running) -> bool:
    """Whether the model generates to the end although the reader has left."""
    before = (await stack.model())["tokens_predicted_total"]
    async with stack.client.stream("POST", "/stream", json=LONG) as answer:
        async for line in answer.aiter_lines():
            if '"token"' in line:
                break
    await eventually(lambda: is_idle(stack), "the model server is idle")
    return (await stack.model())["tokens_predicted_total"] - before > 100


async def session_left(stack: Running) -> bool:
    """Whether a reader that leaves early still counts as a session a while later."""
    async with stack.client.stream("POST", "/stream", json=LONG) as answer:
        async for line in answer.aiter_lines():
            if '"token"' in line:
                break
    patience = time.monotonic() + 2
    while time.monotonic() < patience:
        if (await stack.metrics())["xnai_active_sessions"] == 0:
            return False
        await asyncio.sleep(0.1)
    return True


async def claims_documents(stack: Running) -> bool:
    """Whether health reports documents, and an answer cites none."""
    answer = (await stack.client.post("/query", json=QUESTION)).json()
    health = (await stack.client.get("/health")).json()
    return bool(health["components"]["vectorstore"] and not answer["sources"])


def of_breaker_key(shows: Callable[[str | None, int], bool]) -> Symptom:
    """A symptom of the key of a breaker: its content and its time to live."""

    async def look(stack: Running) -> bool:
        key = "circuit_breaker:rag_api"
        value: Any = stack.redis.client.get(key)
        ttl: Any = stack.redis.client.ttl(key)
        return shows(value, ttl)

    return look


def not_json(text: str | None) -> bool:
    """Whether a text is there and is not JSON."""
    try:
        json.loads(text or "{}")
    except ValueError:
        return True
    return False
