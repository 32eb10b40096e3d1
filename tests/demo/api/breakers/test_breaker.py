"""Circuit breakers: their transitions, their place in Redis, and what they do without it."""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.demo.api.running import RedisServer, eventually, redis_server, settings
from xnai_validate.demo.api.breakers.breaker import Breaker
from xnai_validate.demo.api.breakers.breakers import Breakers
from xnai_validate.demo.api.failures import CircuitOpen, ServiceFailure
from xnai_validate.demo.api.monitoring.metrics import Metrics
from xnai_validate.demo.api.store import Store
from xnai_validate.demo.settings import BREAKER_FAILURES

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
    store = Store(chosen)
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


def test_workers_share_the_state_and_a_restart_keeps_it(redis: RedisServer, tmp_path: Path) -> None:
    """What one worker counts, another sees at once; and one that starts later finds the breaker as it was."""

    async def scene() -> None:
        clock = Clock()
        async with worker(redis, tmp_path / "1", clock) as one, worker(redis, tmp_path / "2", clock) as two:
            for breakers in (one, two, one):
                await call(breakers["rag_api"], fails=True)
            await refused(two["rag_api"])
            assert stored(redis)["total_failures"] == 3
        async with worker(redis, tmp_path / "3", clock) as three:
            await refused(three["rag_api"])

    redis.client.flushall()
    asyncio.run(scene())


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

        async with worker(redis, tmp_path / "1", clock) as one, worker(redis, tmp_path / "2", clock) as two:
            for _ in range(3):
                await call(one["rag_api"], fails=True)
            clock.now += 2.5
            calls = [asyncio.create_task(trial(breakers["rag_api"])) for _ in range(20) for breakers in (one, two)]
            await asyncio.sleep(0.5)
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


def test_two_workers_under_load_lose_no_count(redis: RedisServer, tmp_path: Path) -> None:
    """Hundreds of calls at once through two workers are all counted, and none waits for the others' turn."""

    async def hold(breaker: Breaker) -> None:
        async with breaker.call():
            await asyncio.sleep(0.1)

    async def scene() -> None:
        clock = Clock()
        async with worker(redis, tmp_path / "1", clock) as one, worker(redis, tmp_path / "2", clock) as two:
            started = time.perf_counter()
            calls = [hold(breakers["rag_api"]) for breakers in (one, two) for _ in range(150)]
            await asyncio.gather(*calls)
            assert time.perf_counter() - started < 300 * 0.1 / 2
            for _ in range(100):  # a worker whom Redis kept waiting counts when it asks it again
                if stored(redis)["total_successes"] == 300:
                    break
                await asyncio.gather(one.refresh(), two.refresh())
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


def test_a_state_that_somebody_else_writes_is_obeyed(redis: RedisServer, tmp_path: Path) -> None:
    """Redis is the truth: a breaker that is opened there refuses the next call here."""

    async def play(breakers: Breakers, clock: Clock) -> None:
        opened = stored(redis) | {"state": "open", "failure_count": 3, "last_failure_time": clock.now}
        redis.client.set(KEY, json.dumps(opened))
        assert await refused(breakers["rag_api"]) == pytest.approx(2.0)

    played(play, redis, tmp_path)


def test_a_lost_key_is_written_by_the_worker_that_knows(redis: RedisServer, tmp_path: Path) -> None:
    """One that has not heard of the opening does not close the breaker by writing what it believes."""

    async def scene() -> None:
        clock = Clock()
        async with worker(redis, tmp_path / "1", clock) as one, worker(redis, tmp_path / "2", clock) as two:
            opened = stored(redis) | {"state": "open", "failure_count": 3, "last_failure_time": clock.now}
            redis.client.set(KEY, json.dumps(opened))
            await refused(one["rag_api"])
            redis.client.delete(KEY)
            looking = asyncio.create_task(one.keep())
            await refused(two["rag_api"])
            looking.cancel()
            assert stored(redis)["state"] == "open"

    redis.client.flushall()
    asyncio.run(scene())


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
