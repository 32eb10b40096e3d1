"""Time limits that fail while this tool itself was late: an error, for the stack may have kept them."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Annotated, Any

import pytest

from tests.engine.plans import collect, declared, engine_of, finished, make, plan_of
from xnai_validate.engine.attempts.attempt import judge_facts
from xnai_validate.engine.attempts.lateness import LATENESS, Lateness
from xnai_validate.engine.clock import SystemClock
from xnai_validate.kit import Context, Count, Facts, Field, Milliseconds, Params, Timed, checker
from xnai_validate.model.judging.rules import Rule
from xnai_validate.model.results.events import CheckFinished
from xnai_validate.model.results.status import Status
from xnai_validate.plan import Retry

LIMIT = Rule("total_ms", "max", 100)


class Wait(Params):
    """How a measurement spends its time."""

    blocked: list[float] = Field(default_factory=list)
    """Seconds of each attempt in which this process does not come to its turn; the last also of those after."""
    waited: float = 0.0
    """Seconds that the stack takes."""
    errors: int = 0


class Waited(Facts):
    """A measured time, and a count that no lateness explains."""

    total_ms: Milliseconds
    error_count: Count


def run_waits(tmp_path: Path, *rules: Rule, attempts: int = 1, **script: Any) -> CheckFinished:
    """Run a single check in real time and return how it ended."""
    made = 0

    @checker("test.wait", target=False, expect={"error_count": 0})
    async def wait(params: Wait, ctx: Context) -> Waited:
        """Wait, and be late."""
        nonlocal made
        begun = time.perf_counter()
        await asyncio.sleep(0.02)
        if params.blocked:
            time.sleep(params.blocked[min(made, len(params.blocked) - 1)])  # noqa: ASYNC251 (the tool is late)
        made += 1
        await asyncio.sleep(params.waited)
        return Waited(total_ms=(time.perf_counter() - begun) * 1000, error_count=params.errors)

    check = make("c", declared(wait), rules=rules, script=script, retry=Retry(attempts=attempts, delay_s=0.0))
    return finished(asyncio.run(collect(engine_of(plan_of(check), tmp_path, SystemClock()))))["c"]


def test_a_limit_that_breaks_while_the_tool_is_late_is_an_error(tmp_path: Path) -> None:
    """The stack may have answered in time: the reason names the limit, the time and the lateness."""
    end = run_waits(tmp_path, LIMIT, blocked=[0.3])
    assert (end.status, end.attempts) == (Status.ERROR, 2)
    assert end.reason is not None
    assert end.reason.startswith("total_ms: expected at most 100, got 3")
    assert "could not be judged: the tool itself was late by " in end.reason


def test_a_limit_that_holds_while_the_tool_is_late_passes(tmp_path: Path) -> None:
    """Lateness only lengthens: what is within the limit nevertheless can be trusted."""
    assert run_waits(tmp_path, Rule("total_ms", "max", 2000), blocked=[0.3]).status is Status.PASS


def test_a_limit_that_breaks_while_the_tool_is_in_time_fails(tmp_path: Path) -> None:
    """A slow stack fails, however busy the machine might have been."""
    end = run_waits(tmp_path, LIMIT, waited=1.0)
    assert (end.status, end.attempts) == (Status.FAIL, 1)


def test_lateness_explains_no_more_than_it_took(tmp_path: Path) -> None:
    """Where the time exceeds the limit by more than the tool was late, the stack was too slow."""
    assert run_waits(tmp_path, LIMIT, blocked=[0.15], waited=1.0).status is Status.FAIL


def test_other_rules_fail_while_the_tool_is_late(tmp_path: Path) -> None:
    """Errors and counts do not depend on the tool's speed."""
    end = run_waits(tmp_path, LIMIT, Rule("error_count", "equals", 0), blocked=[0.3], errors=1)
    assert (end.status, end.reason) == (Status.FAIL, "error_count: expected 0, got 1")


def test_a_late_attempt_is_made_again_and_is_not_flaky(tmp_path: Path) -> None:
    """The lateness of a moment costs one more attempt, and says nothing of the stack."""
    end = run_waits(tmp_path, LIMIT, blocked=[0.3, 0.0])
    assert (end.status, end.attempts, end.reason) == (Status.PASS, 2, None)


@pytest.mark.parametrize(("waited", "status"), [(0.0, Status.PASS), (1.0, Status.WARN)])
def test_a_practice_does_not_warn_because_the_tool_was_late(tmp_path: Path, waited: float, status: Status) -> None:
    """A busy machine causes neither a warning nor an error; a slow stack causes a warning."""
    end = run_waits(tmp_path, Rule("total_ms", "max", 100, level="warn"), blocked=[0.15], waited=waited)
    assert end.status is status


class Rates(Facts):
    """What a load measures, as far as it depends on the tool."""

    p99_ms: Milliseconds = 256.0
    max_ms: Milliseconds = 900.0
    throughput_rps: Annotated[float, Timed()] = 45.0
    delays_ms: dict[str, Milliseconds] = Field(default_factory=lambda: {"alert": 300.0})
    body_ms: float = 300.0
    too_slow_client: bool = False
    lag_p99_ms: Milliseconds = 80.0


def unjudged(rule: Rule, facts: Rates, *late: tuple[float, float], span: tuple[float, float] = (0.0, 10.0)) -> bool:
    """Whether a rule is left unjudged after calls back at these times."""
    lateness = Lateness()
    for due, came in late:
        lateness.add(due, came)
    token = LATENESS.set(lateness)
    try:
        facts.note_span(*span)
        judgement = judge_facts((rule,), facts, 0.0)
    finally:
        LATENESS.reset(token)
    assert judgement.tool_late is (judgement.not_reached is not None)
    return judgement.tool_late


P99 = Rule("p99_ms", "max", 200)


@pytest.mark.parametrize(
    ("rule", "late", "expected"),
    [
        (P99, [(1.0, 1.06)], True),
        (P99, [(1.0, 1.05)], False),
        (P99, [(1.0, 1.03), (1.1, 1.13)], True),  # both within 256 ms
        (P99, [(1.0, 1.03), (2.0, 2.03)], False),
        (P99, [(10.5, 12.0)], False),  # after the measurement
        (P99, [(9.95, 12.0)], False),  # all but 50 ms of it after the measurement
        (P99, [(-1.0, 0.06)], True),
        (Rule("p99_ms", "max", 300), [(1.0, 2.0)], False),
        (Rule("p99_ms", "min", 300), [(1.0, 2.0)], False),  # lateness makes nothing shorter
        (Rule("delays_ms", "max", 200, path="alert"), [(1.0, 1.2)], True),
        (Rule("body_ms", "max", 200), [(1.0, 2.0)], False),  # measured by the stack
        (Rule("throughput_rps", "min", 50), [(1.0, 2.1)], True),  # 10 % too few, late for 11 % of the time
        (Rule("throughput_rps", "min", 50), [(1.0, 1.9)], False),
    ],
)
def test_lateness_within_a_time_as_long_as_the_measured_one_counts(
    rule: Rule, late: list[tuple[float, float]], expected: bool
) -> None:
    """A limit is unjudged if the tool was late, within any stretch as long as that time, by what exceeds the limit."""
    assert unjudged(rule, Rates(), *late) is expected


def test_a_load_that_was_too_slow_itself_has_no_times_to_judge() -> None:
    """`too_slow_client` explains each time and rate of a load that breaks its limit."""
    for rule in (P99, Rule("throughput_rps", "min", 50)):
        assert unjudged(rule, Rates(too_slow_client=True)) is True
        assert unjudged(rule, Rates()) is False


def test_outside_a_run_every_limit_is_judged() -> None:
    """Without a record of lateness there is no excuse."""
    facts = Rates()
    assert judge_facts((P99,), facts, 0.0).not_reached is None


def test_shared_facts_keep_the_time_of_their_measurement() -> None:
    """A check that only waits for the load of another is judged by the lateness during that load."""
    facts = Rates()
    facts.note_span(0.0, 10.0)
    assert unjudged(P99, facts, (1.0, 1.1), span=(20.0, 20.1)) is True


def test_a_blocked_event_loop_is_measured() -> None:
    """The watch notices how long the loop did not come to its turn, also while that still goes on."""

    async def main() -> tuple[float, float]:
        lateness = Lateness()
        lateness.begin()
        begun = time.monotonic()
        await asyncio.sleep(0.03)
        time.sleep(0.2)  # noqa: ASYNC251 (the loop is blocked)
        under_way = lateness.total_s((begun, time.monotonic()))
        await asyncio.sleep(0.03)
        lateness.end()
        return under_way, lateness.total_s((begun, time.monotonic()))

    under_way, afterwards = asyncio.run(main())
    assert under_way >= 0.185
    assert afterwards >= under_way
