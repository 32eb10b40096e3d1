"""A circuit breaker: its transitions, its key in Redis, and what it does without Redis."""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from pathlib import Path

import pytest

from tests.demo.api.breakers.workers import KEY, Clock, call, played, refused, stored, worker
from tests.demo.api.running import RedisServer, eventually, redis_server
from xnai_validate.demo.api.breakers.breakers import Breakers
from xnai_validate.demo.api.failures import ServiceFailure


def test_it_opens_refuses_tries_and_closes(redis: RedisServer, tmp_path: Path) -> None:
    """Three failures open it, after the recovery time three successes close it, and Redis shows each step."""

    async def play(breakers: Breakers, clock: Clock) -> None:
        breaker = breakers["rag_api"]
        for _ in range(3):
            assert stored(redis)["state"] == "closed"
            await call(breaker, fails=True)
        assert stored(redis)["state"] == "open"
        assert stored(redis)["failure_count"] == 3
        assert await refused(breaker) == pytest.approx(2.0)
        clock.now += 1.9
        assert await refused(breaker) == pytest.approx(0.1)
        clock.now += 0.2
        for state in ("half_open", "half_open", "closed"):
            await call(breaker)
            assert stored(redis)["state"] == state
        final = stored(redis)
        assert (final["failure_count"], final["total_calls"]) == (0, 6)
        assert (final["total_failures"], final["total_successes"]) == (3, 3)
        assert final["last_failure_time"] == 1_000_000.0
        assert final["last_success_time"] == clock.now
        transitions = final["transitions"]
        assert isinstance(transitions, list)
        assert [(change["from_state"], change["to_state"]) for change in transitions] == [
            ("closed", "open"),
            ("open", "half_open"),
            ("half_open", "closed"),
        ]

    played(play, redis, tmp_path)


def test_one_failed_trial_opens_it_again(redis: RedisServer, tmp_path: Path) -> None:
    """A failure while half open opens the breaker for another whole recovery time."""

    async def play(breakers: Breakers, clock: Clock) -> None:
        breaker = breakers["rag_api"]
        for _ in range(3):
            await call(breaker, fails=True)
        clock.now += 2.5
        await call(breaker)
        await call(breaker, fails=True)
        assert stored(redis)["state"] == "open"
        assert await refused(breaker) == pytest.approx(2.0)

    played(play, redis, tmp_path)


def test_a_success_forgives_the_failures_before_it(redis: RedisServer, tmp_path: Path) -> None:
    """Failures count in a row: two, a success and two more leave the breaker closed."""

    async def play(breakers: Breakers, _: Clock) -> None:
        breaker = breakers["rag_api"]
        for fails in (True, True, False, True, True):
            await call(breaker, fails=fails)
        assert stored(redis)["state"] == "closed"
        assert stored(redis)["failure_count"] == 2

    played(play, redis, tmp_path)


def test_a_cancelled_call_counts_as_nothing(redis: RedisServer, tmp_path: Path) -> None:
    """A client that leaves is neither a failure nor a success, and frees its place among the trials."""

    async def play(breakers: Breakers, clock: Clock) -> None:
        breaker = breakers["rag_api"]
        for _ in range(3):
            await call(breaker, fails=True)
        clock.now += 2.5

        async def half_open() -> bool:
            return stored(redis)["state"] == "half_open"

        async def hang() -> None:
            async with breaker.call():
                await asyncio.Event().wait()

        trials = [asyncio.create_task(hang()) for _ in range(3)]
        await eventually(half_open, "half open")
        await asyncio.sleep(0.1)
        await refused(breaker)
        for trial in trials:
            trial.cancel()
        await asyncio.gather(*trials, return_exceptions=True)
        assert stored(redis)["total_calls"] == 3
        for _ in range(3):
            await call(breaker)
        assert stored(redis)["state"] == "closed"

    played(play, redis, tmp_path)


def test_a_call_from_before_the_opening_decides_nothing(redis: RedisServer, tmp_path: Path) -> None:
    """A late failure neither prolongs the recovery time nor fails a trial; it is only counted."""

    async def play(breakers: Breakers, clock: Clock) -> None:
        breaker = breakers["rag_api"]
        finish = asyncio.Event()

        async def late() -> None:
            with contextlib.suppress(ServiceFailure):
                async with breaker.call():
                    await finish.wait()
                    raise ServiceFailure

        late_call = asyncio.create_task(late())
        await asyncio.sleep(0.05)
        for _ in range(3):
            await call(breaker, fails=True)
        clock.now += 2.5
        await call(breaker)
        finish.set()
        await late_call
        assert stored(redis)["state"] == "half_open"
        assert stored(redis)["total_failures"] == 4

    played(play, redis, tmp_path)


@pytest.mark.parametrize("rubbish", ["", "not json", '{"state": "ajar"}', "[]"])
def test_rubbish_in_the_key_is_replaced(rubbish: str, redis: RedisServer, tmp_path: Path) -> None:
    """A key that holds something else, or is gone, or has another type, is written anew from what the worker knows."""

    async def play(breakers: Breakers, _: Clock) -> None:
        await call(breakers["rag_api"], fails=True)
        redis.client.delete(KEY)
        if rubbish:
            redis.client.set(KEY, rubbish)
        else:
            redis.client.rpush(KEY, "a list")
        await call(breakers["rag_api"], fails=True)
        assert stored(redis)["failure_count"] == 2

    played(play, redis, tmp_path)


def test_a_state_that_another_writes_is_obeyed(redis: RedisServer, tmp_path: Path) -> None:
    """Redis is the truth: a breaker that is opened there refuses the next call here."""

    async def play(breakers: Breakers, clock: Clock) -> None:
        opened = stored(redis) | {"state": "open", "failure_count": 3, "last_failure_time": clock.now}
        redis.client.set(KEY, json.dumps(opened))
        assert await refused(breakers["rag_api"]) == pytest.approx(2.0)

    played(play, redis, tmp_path)


def test_without_redis_it_goes_on_in_memory_and_returns(tmp_path: Path) -> None:
    """While Redis is gone the breaker opens all the same, without waiting; when Redis is back, it learns the state."""

    async def scene(redis: RedisServer) -> None:
        clock = Clock()
        async with worker(redis, tmp_path / "1", clock) as breakers:
            await call(breakers["rag_api"], fails=True)
            redis.stop()
            started = time.perf_counter()
            await call(breakers["rag_api"], fails=True)
            await call(breakers["rag_api"], fails=True)
            for _ in range(50):
                await refused(breakers["rag_api"])
            assert time.perf_counter() - started < 5
            redis.start()
            await asyncio.sleep(0.6)
            await refused(breakers["rag_api"])
            assert stored(redis)["state"] == "open"
            assert stored(redis)["failure_count"] == 3

    with redis_server(tmp_path) as own:
        asyncio.run(scene(own))
