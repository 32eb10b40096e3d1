"""The trials of half-open breakers: one count for all workers."""

from __future__ import annotations

import asyncio
from pathlib import Path

from tests.demo.api.breakers.workers import Clock, call, played, refused, stored, worker
from tests.demo.api.running import RedisServer
from xnai_validate.demo.api.breakers.breaker import Breaker
from xnai_validate.demo.api.breakers.breakers import Breakers
from xnai_validate.demo.api.failures import CircuitOpen


def test_workers_share_the_places_of_trials(redis: RedisServer, tmp_path: Path) -> None:
    """Half open, three calls are let through in all, however many workers there are; no place is lost."""

    async def scene() -> None:
        clock, finish, admitted = Clock(), asyncio.Event(), 0

        async def trial(breaker: Breaker) -> bool:
            nonlocal admitted
            try:
                async with breaker.call():
                    admitted += 1
                    await finish.wait()
            except CircuitOpen:
                return False
            return True

        async with worker(redis, tmp_path / "1", clock) as first, worker(redis, tmp_path / "2", clock) as second:
            for _ in range(3):
                await call(first["rag_api"], fails=True)
            clock.now += 2.5
            calls = [asyncio.create_task(trial(breakers["rag_api"])) for _ in range(20) for breakers in (first, second)]
            refused = 0
            for done in asyncio.as_completed(calls, timeout=60):
                refused += not await done
                if refused == len(calls) - 3:
                    break
            assert admitted == 3
            finish.set()
            assert sum(await asyncio.gather(*calls)) == 3
            assert stored(redis)["state"] == "closed"

    redis.client.flushall()
    asyncio.run(scene())


def test_the_place_of_a_trial_that_never_ends_is_given_up(redis: RedisServer, tmp_path: Path) -> None:
    """A worker that dies takes its place among the trials along for a while only."""

    async def play(breakers: Breakers, clock: Clock) -> None:
        breaker = breakers["rag_api"]
        for _ in range(3):
            await call(breaker, fails=True)
        clock.now += 2.5
        await call(breaker)
        redis.client.zadd("xnai:breaker_trials:rag_api", {"of a dead worker": clock.now + 4, "another": clock.now + 4})
        await refused(breaker)
        clock.now += 4.1
        await call(breaker)
        await call(breaker)
        assert stored(redis)["state"] == "closed"

    played(play, redis, tmp_path)
