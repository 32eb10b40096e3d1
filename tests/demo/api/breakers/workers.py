"""Workers of the application with their breakers, and a clock that a test moves."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable, Coroutine
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.demo.api.running import RedisServer, settings
from xnai_validate.demo.api.breakers.breaker import Breaker
from xnai_validate.demo.api.breakers.breakers import Breakers
from xnai_validate.demo.api.failures import CircuitOpen, ServiceFailure
from xnai_validate.demo.api.monitoring.metrics import Metrics
from xnai_validate.demo.api.store import Store

KEY = "circuit_breaker:rag_api"


@dataclass
class Clock:
    """A clock that stands still until it is moved."""

    now: float = 1_000_000.0

    def __call__(self) -> float:
        return self.now


@contextlib.asynccontextmanager
async def worker(redis: RedisServer, folder: Path, clock: Callable[[], float]) -> AsyncIterator[Breakers]:
    """The breakers of one worker of the application."""
    chosen = settings(redis, folder)
    # No call to Redis is given up: on a busy machine one may take longer than the application waits.
    store = Store(chosen, call_timeout_s=60)
    breakers = Breakers(chosen, store, Metrics(chosen, "model", "0"), clock)
    async with asyncio.TaskGroup() as tasks:
        writing = tasks.create_task(breakers.run())
        await breakers.start()
        yield breakers
        writing.cancel()
    await store.close()


async def call(breaker: Breaker, *, fails: bool = False) -> None:
    """One call that succeeds or fails."""
    with contextlib.suppress(ServiceFailure):
        async with breaker.call():
            if fails:
                raise ServiceFailure


async def refused(breaker: Breaker) -> float:
    """A call that must be refused; the seconds after which to try again."""
    with pytest.raises(CircuitOpen) as caught:
        await call(breaker)
    return caught.value.retry_after_s


def stored(redis: RedisServer) -> dict[str, object]:
    """The state in Redis."""
    found: dict[str, object] = json.loads(str(redis.client.get(KEY)))
    return found


def played(play: Callable[[Breakers, Clock], Coroutine[None, None, None]], redis: RedisServer, folder: Path) -> None:
    """Play a scene with one worker on an empty Redis."""

    async def scene() -> None:
        clock = Clock()
        async with worker(redis, folder, clock) as breakers:
            await play(breakers, clock)

    redis.client.flushall()
    asyncio.run(scene())
