"""A small HTTP server whose work goes through a breaker: `/work` and `/long` succeed, `/fail` fails.

`/direct` does the work of `/long` without the breaker, `/slot` does work one by one where the breaker's runs so.
"""

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

from redis import Redis as SyncRedis
from redis.asyncio import Redis

from tests.checkers.beside import beside, end
from tests.checkers.breaker.reference import Breaker, RefusedError
from xnai_validate.kit import Target

NAME = "rag_api"
WORK_S = 0.02
LONG_S = 0.25
"""How long `/long` takes, which is for many callers at once."""
SLOT_S = 0.1
"""How long `/slot` takes."""
CACHED_S = 0.5
"""How old the report of `/cached` may be."""
REPORTS: dict[str, tuple[float, dict[str, Any]]] = {}
"""The key of a breaker -> when its cached report was made, and the report."""
Answer = tuple[int, dict[str, str], dict[str, Any]]


@dataclass(slots=True)
class Stack:
    """Workers that are up, and the Redis they share."""

    workers: tuple[Target, ...]
    redis: Target
    key: str
    restart: Callable[[], None]
    """End all workers, and start them again in the same places."""
    spoil: Callable[[bool, int], None]
    """Let the work of `/work` fail, or succeed again after `more` further failures."""


@contextmanager
def stack(
    redis: Target,
    of: type[Breaker] = Breaker,
    *,
    workers: int = 1,
    recovery_s: float | None = None,
    answer_s: float = 10.0,
) -> Iterator[Stack]:
    """Workers with a breaker of their own each, all under one key that was never used before.

    `recovery_s`: another recovery time than the breaker's own; `answer_s`: how long Redis may take to answer.
    """
    key = f"circuit_breaker:{uuid.uuid4().hex}"

    def breaker() -> Breaker:
        made = of(Redis(port=redis.port, password=redis.password, decode_responses=True), key)
        made.recovery_s = recovery_s or made.recovery_s
        made.answer_s = answer_s
        return made

    with beside(lambda: _running([_Worker(breaker) for _ in range(workers)])) as (loop, running):

        def restart() -> None:
            for worker in running:
                asyncio.run_coroutine_threadsafe(worker.restart(), loop).result(20)

        def spoil(failing: bool, more: int) -> None:
            for worker in running:
                worker.failing, worker.more = failing, more

        targets = tuple(Target(f"api{i or ''}", f"http://127.0.0.1:{worker.port}") for i, worker in enumerate(running))
        yield Stack(targets, redis, key, restart, spoil)


def stored(redis: Target, key: str) -> tuple[dict[str, Any], int]:
    """The state in Redis, and the milliseconds it has to live."""
    with SyncRedis(port=redis.port, password=redis.password, decode_responses=True) as client:
        return json.loads(str(client.get(key))), int(str(client.pttl(key)))


class _Worker:
    """A server, and its breaker."""

    def __init__(self, breaker: Callable[[], Breaker]) -> None:
        self._new = breaker
        self._breaker = breaker()
        self._tasks: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None
        self.port = 0
        self.failing = False
        self.more = 0

    async def start(self) -> None:
        """Serve, in the same place as before."""
        self._breaker = self._new()
        await self._breaker.start()
        self._server = await asyncio.start_server(self._talk, "127.0.0.1", self.port, backlog=512)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """End, with everything in memory."""
        if self._server is not None:
            await end(self._server, self._tasks)
        await self._breaker.redis.aclose()

    async def restart(self) -> None:
        """Stop, and start again."""
        await self.stop()
        await self.start()

    def _fails(self) -> bool:
        """Whether the work of the next call fails."""
        self.more, more = max(0, self.more - 1), self.more
        return self.failing or more > 0

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            await _serve(self._breaker, self._fails, reader, writer)
        except (OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass  # the caller left, or the server ends
        finally:
            self._tasks.discard(task)
            writer.close()


@asynccontextmanager
async def _running(workers: list[_Worker]) -> AsyncIterator[tuple[asyncio.AbstractEventLoop, list[_Worker]]]:
    async with AsyncExitStack() as running:
        for worker in workers:
            running.push_async_callback(worker.stop)
            await worker.start()
        yield asyncio.get_running_loop(), workers


async def _serve(
    breaker: Breaker, fails: Callable[[], bool], reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    """Answer one request; the connection is closed after it."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode()
    path = head.split(" ", 2)[1]
    length = next((int(line[15:]) for line in head.lower().splitlines() if line.startswith("content-length:")), 0)
    await reader.readexactly(length)
    status, headers, body = await _answer(breaker, path, fails)
    content = json.dumps(body).encode()
    headers |= {"Content-Type": "application/json", "Content-Length": str(len(content)), "Connection": "close"}
    lines = [f"HTTP/1.1 {status} Told", *(f"{name}: {value}" for name, value in headers.items())]
    writer.write("\r\n".join(lines).encode() + b"\r\n\r\n" + content)
    await writer.drain()


async def _answer(breaker: Breaker, path: str, fails: Callable[[], bool]) -> Answer:
    if path == "/wrong":
        return 400, {}, _envelope(400, "validation_validation", NAME)
    if path == "/health":
        return 200, {}, _health(breaker)
    if path == "/cached":
        made_s, report = REPORTS.get(breaker.key, (0.0, {}))
        if time.monotonic() - made_s > CACHED_S:
            REPORTS[breaker.key] = time.monotonic(), (report := _health(breaker))
        return 200, {}, report
    if path == "/direct":
        await asyncio.sleep(LONG_S)
        return 200, {}, {}
    if path == "/slot":
        await breaker.working(partial(asyncio.sleep, SLOT_S))
        return 200, {}, {}
    try:
        trial = await breaker.admit()
    except RefusedError as refused:
        await breaker.refusing()
        return _refusal(breaker, refused)
    failed = fails() or path == "/fail"
    try:
        await breaker.working(partial(asyncio.sleep, LONG_S if path == "/long" else WORK_S))
    finally:
        await breaker.end(failed, trial)
    return (500, {}, _envelope(500, "model_error", "llm")) if failed else (200, {}, {"response": "done"})


def _health(breaker: Breaker) -> dict[str, Any]:
    state = breaker.state_name()
    return {"breaker": {"closed": 0, "open": 1, "half_open": 2}[state], "healthy": state != "open"}


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
