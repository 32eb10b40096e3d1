"""All breakers of several workers: one state, and keys that exist from the start."""

from __future__ import annotations

import asyncio
import json
import time
from pathlib import Path

from tests.demo.api.breakers.workers import KEY, Clock, call, played, refused, stored, worker
from tests.demo.api.running import RedisServer
from xnai_validate.demo.api.breakers.breaker import Breaker
from xnai_validate.demo.api.breakers.breakers import Breakers
from xnai_validate.demo.settings import BREAKER_FAILURES


def test_workers_share_the_state_and_a_restart_keeps_it(redis: RedisServer, tmp_path: Path) -> None:
    """What one worker counts, another sees at once; and one that starts later finds the breaker as it was."""

    async def scene() -> None:
        clock = Clock()
        async with worker(redis, tmp_path / "1", clock) as first, worker(redis, tmp_path / "2", clock) as second:
            for breakers in (first, second, first):
                await call(breakers["rag_api"], fails=True)
            await refused(second["rag_api"])
            assert stored(redis)["total_failures"] == 3
        async with worker(redis, tmp_path / "3", clock) as three:
            await refused(three["rag_api"])

    redis.client.flushall()
    asyncio.run(scene())


def test_two_workers_under_load_lose_no_count(redis: RedisServer, tmp_path: Path) -> None:
    """Hundreds of calls at once through two workers are all counted, and none waits for the others' turn."""

    async def hold(breaker: Breaker) -> None:
        async with breaker.call():
            await asyncio.sleep(0.1)

    async def scene() -> None:
        clock = Clock()
        async with worker(redis, tmp_path / "1", clock) as first, worker(redis, tmp_path / "2", clock) as second:
            started = time.perf_counter()
            calls = [hold(breakers["rag_api"]) for breakers in (first, second) for _ in range(150)]
            await asyncio.gather(*calls)
            assert time.perf_counter() - started < 300 * 0.1 / 2
            for _ in range(100):  # a worker whom Redis kept waiting counts when it asks it again
                if stored(redis)["total_successes"] == 300:
                    break
                await asyncio.gather(first.refresh(), second.refresh())
                await asyncio.sleep(0.05)
            assert stored(redis)["total_successes"] == 300

    redis.client.flushall()
    asyncio.run(scene())


def test_all_keys_exist_from_the_start_and_outlive_the_recovery(redis: RedisServer, tmp_path: Path) -> None:
    """Every breaker has its key before the first call, with a time to live far beyond its recovery time."""

    async def play(breakers: Breakers, _: Clock) -> None:
        for breaker in breakers:
            assert redis.client.type(breaker.key) == "string"
            assert int(str(redis.client.ttl(breaker.key))) > 10 * breaker.rule.recovery_s
        assert {breaker.rule.name for breaker in breakers} == set(BREAKER_FAILURES)

    played(play, redis, tmp_path)


def test_a_lost_key_is_written_by_the_worker_that_knows(redis: RedisServer, tmp_path: Path) -> None:
    """One that has not heard of the opening does not close the breaker by writing what it believes."""

    async def scene() -> None:
        clock = Clock()
        async with worker(redis, tmp_path / "1", clock) as first, worker(redis, tmp_path / "2", clock) as second:
            opened = stored(redis) | {"state": "open", "failure_count": 3, "last_failure_time": clock.now}
            redis.client.set(KEY, json.dumps(opened))
            await refused(first["rag_api"])
            redis.client.delete(KEY)
            looking = asyncio.create_task(first.keep())
            await refused(second["rag_api"])
            looking.cancel()
            assert stored(redis)["state"] == "open"

    redis.client.flushall()
    asyncio.run(scene())
