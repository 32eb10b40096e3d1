"""A small HTTP server whose work goes through a breaker: `/work` and `/long` succeed, `/fail` fails."""

from __future__ import annotations

import asyncio
import json
import time
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any

from redis.asyncio import Redis

from tests.checkers.beside import beside, end
from tests.checkers.breaker_reference import Breaker, RefusedError
from xnai_validate.kit import Target

NAME = "rag_api"
WORK_S = 0.02
LONG_S = 0.15
"""How long `/long` takes, which is for many callers at once."""
Answer = tuple[int, dict[str, str], dict[str, Any]]


@dataclass(slots=True)
class Stack:
    """Workers that are up, and the Redis they share."""

    workers: tuple[Target, ...]
    redis: Target
    key: str


@contextmanager
def stack(
    redis: Target, of: type[Breaker] = Breaker, *, workers: int = 1, now: Callable[[], float] = time.time
) -> Iterator[Stack]:
    """Workers with a breaker of their own each, all under one key that was never used before."""
    key = f"circuit_breaker:{uuid.uuid4().hex}"
    with beside(lambda: _running(redis, of, key, workers, now)) as ports:
        targets = tuple(Target(f"api{i or ''}", f"http://127.0.0.1:{port}") for i, port in enumerate(ports))
        yield Stack(targets, redis, key)


@asynccontextmanager
async def _running(
    redis: Target, of: type[Breaker], key: str, workers: int, now: Callable[[], float]
) -> AsyncIterator[list[int]]:
    async with AsyncExitStack() as running:
        ports = []
        for _ in range(workers):
            client = Redis(port=redis.port, password=redis.password, decode_responses=True)
            running.push_async_callback(client.aclose)
            ports.append(await running.enter_async_context(_worker(of(client, key, now))))
        yield ports


@asynccontextmanager
async def _worker(breaker: Breaker) -> AsyncIterator[int]:
    tasks: set[asyncio.Task[None]] = set()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        try:
            await _serve(breaker, reader, writer)
        except (OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass  # the caller left, or the test is over
        finally:
            tasks.discard(task)
            writer.close()

    server = await asyncio.start_server(talk, "127.0.0.1", 0, backlog=512)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        await end(server, tasks)


async def _serve(breaker: Breaker, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer one request; the connection is closed after it."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode()
    path = head.split(" ", 2)[1]
    length = next((int(line[15:]) for line in head.lower().splitlines() if line.startswith("content-length:")), 0)
    await reader.readexactly(length)
    status, headers, body = await _answer(breaker, path)
    content = json.dumps(body).encode()
    headers |= {"Content-Type": "application/json", "Content-Length": str(len(content)), "Connection": "close"}
    lines = [f"HTTP/1.1 {status} Told", *(f"{name}: {value}" for name, value in headers.items())]
    writer.write("\r\n".join(lines).encode() + b"\r\n\r\n" + content)
    await writer.drain()


async def _answer(breaker: Breaker, path: str) -> Answer:
    if path == "/health":
        told = breaker.told()
        return 200, {}, {"breaker": {"closed": 0, "open": 1, "half_open": 2}[told], "healthy": told != "open"}
    try:
        trial = await breaker.admit()
    except RefusedError as refused:
        await breaker.refusing()
        return _refusal(breaker, refused)
    failed = path == "/fail"
    try:
        await breaker.working(partial(asyncio.sleep, LONG_S if path == "/long" else WORK_S))
    finally:
        await breaker.end(failed, trial)
    return (500, {}, _envelope(500, "model_error", "llm")) if failed else (200, {}, {"response": "done"})


def _refusal(breaker: Breaker, refused: RefusedError) -> Answer:
    status = breaker.refused_status
    body = breaker.envelope(_envelope(status, "circuit_open", NAME))
    wait = breaker.retry_after(refused.retry_after_s)
    headers = {"X-Request-ID": body["request_id"]} | ({"Retry-After": wait} if wait is not None else {})
    return status, headers, body


def _envelope(status: int, code: str, service: str) -> dict[str, Any]:
    return {
        "error_code": code,
        "message": "It did not work.",
        "category": code,
        "http_status": status,
        "timestamp": datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "details": {"service_name": service},
        "recovery_suggestion": "Try again.",
        "request_id": f"req_{uuid.uuid4()}",
    }
