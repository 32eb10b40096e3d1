"""The reference breaker does what a model of it does that is nothing but the words of the promise."""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test
from redis.asyncio import Redis

from tests.checkers.breaker.reference import FAILURES, RECOVERY_S, SUCCESSES, Breaker, ForgivesAtHalfOpen, RefusedError
from xnai_validate.kit import Target

WORKERS = 2


class Model:
    """A breaker in words: what the stack promises of its states, without any thought of where they are kept."""

    def __init__(self) -> None:
        self.state = "closed"
        self.failures = self.successes = 0
        """In a row, in this state."""
        self.opened_at = 0.0
        self.calls = {"total_calls": 0, "total_failures": 0, "total_successes": 0}

    def arrives(self, now: float, trials: int) -> str:
        """What becomes of a call: `refused`, `trial`, `through`; `trials`: those under way in its worker."""
        if self.state == "open" and now >= self.opened_at + RECOVERY_S:
            self.state, self.successes = "half_open", 0
        if self.state == "open" or (self.state == "half_open" and trials >= SUCCESSES):
            return "refused"
        return "trial" if self.state == "half_open" else "through"

    def ends(self, now: float, was: str, failed: bool) -> None:
        """A call that was let through has ended."""
        self.calls["total_calls"] += 1
        self.calls["total_failures" if failed else "total_successes"] += 1
        if self.state == "open" or (self.state == "half_open" and was != "trial"):
            return  # it comes too late to describe the present state
        if failed:
            self.failures += 1
            self.successes = 0
            if self.state == "half_open" or self.failures == FAILURES:
                self.state, self.opened_at = "open", now
        else:
            self.successes += 1
            if self.state == "closed":
                self.failures = 0
            elif self.successes == SUCCESSES:
                self.state, self.failures, self.successes = "closed", 0, 0


class Side(RuleBasedStateMachine):
    """Model and reference side by side: calls that overlap, through two workers, with time and restarts between."""

    place: Target
    kind: type[Breaker] = Breaker

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.client = Redis(port=self.place.port, password=self.place.password, decode_responses=True)
        self.key = f"circuit_breaker:{uuid.uuid4().hex}"
        self.clock = 1_000_000.0
        self.model = Model()
        self.breakers = [self.started() for _ in range(WORKERS)]
        self.under_way: list[tuple[int, str]] = []
        """The worker of a call, and what became of it."""

    def started(self) -> Breaker:
        """A worker's breaker, with nothing in memory."""
        started = self.kind(self.client, self.key, lambda: self.clock)
        started.answer_s = 20.0
        return started

    @rule(worker=st.integers(0, WORKERS - 1))
    def call(self, worker: int) -> None:
        """A call arrives."""
        trials = sum(call == (worker, "trial") for call in self.under_way)
        expected = self.model.arrives(self.clock, trials)
        became, wait_s = self.runner.run(self.admitted(worker))
        assert became == expected
        if became == "refused":
            assert wait_s == pytest.approx(max(0.0, self.model.opened_at + RECOVERY_S - self.clock), abs=1e-6)
        else:
            self.under_way.append((worker, became))

    async def admitted(self, worker: int) -> tuple[str, float]:
        """What becomes of a call, and after which time it is worth trying again."""
        try:
            return "trial" if await self.breakers[worker].admit() else "through", 0.0
        except RefusedError as refused:
            return "refused", refused.retry_after_s

    async def stored(self) -> dict[str, Any] | None:
        """What the key holds."""
        text = await self.client.get(self.key)
        return None if text is None else dict(json.loads(text))

    @precondition(lambda self: self.under_way)
    @rule(which=st.integers(0, 1000), failed=st.booleans())
    def end(self, which: int, failed: bool) -> None:
        """A call under way ends."""
        worker, was = self.under_way.pop(which % len(self.under_way))
        self.model.ends(self.clock, was, failed)
        self.runner.run(self.breakers[worker].end(failed, was == "trial"))

    @rule(worker=st.integers(0, WORKERS - 1), failed=st.booleans())
    def call_and_end(self, worker: int, failed: bool) -> None:
        """A call arrives, and ends at once."""
        before = len(self.under_way)
        self.call(worker)
        if len(self.under_way) > before:
            self.end(before, failed)

    @rule(share=st.sampled_from([0.1, 0.5, 0.999, 1.0, 3.0]))
    def time_passes(self, share: float) -> None:
        """A part of the recovery time passes, or more than all of it."""
        self.clock += share * RECOVERY_S

    @rule(worker=st.integers(0, WORKERS - 1))
    def restart(self, worker: int) -> None:
        """A worker is started anew; its calls are lost with it."""
        self.under_way = [call for call in self.under_way if call[0] != worker]
        self.breakers[worker] = self.started()

    @invariant()
    def redis_agrees_with_model(self) -> None:
        """The key has the state of the model, once it has been written."""
        stored = self.runner.run(self.stored())
        if stored is None:
            assert self.model.state == "closed"
            return
        assert stored["state"] == self.model.state
        assert {name: stored[name] for name in self.model.calls} == self.model.calls
        if self.model.state != "open":
            assert stored["success_count"] == self.model.successes
        if self.model.state == "closed":
            assert stored["failure_count"] == self.model.failures

    def teardown(self) -> None:
        self.runner.run(self.client.aclose())
        self.runner.close()


@contextmanager
def sides(redis: Target, kind: type[Breaker]) -> Iterator[type[Side]]:
    """The machine, for a breaker on a Redis."""
    yield type("SideOf" + kind.__name__, (Side,), {"place": redis, "kind": kind})


SETTINGS = settings(max_examples=40, stateful_step_count=30, deadline=None, suppress_health_check=list(HealthCheck))
SEARCH = settings(
    SETTINGS, max_examples=400, phases=[Phase.generate], database=None, derandomize=True, print_blob=False
)
"""Always the same search, which ends at the first difference."""


def test_the_reference_does_what_the_model_does(redis: Target) -> None:
    """In any order of calls, in any worker, breaker and model agree on every call, and so does Redis."""
    with sides(redis, Breaker) as machine:
        run_state_machine_as_test(machine, settings=SETTINGS)


def test_the_machine_notices_a_breaker_that_differs(redis: Target) -> None:
    """The comparison can fail."""
    with sides(redis, ForgivesAtHalfOpen) as machine, pytest.raises(AssertionError):
        run_state_machine_as_test(machine, settings=SEARCH)
