"""What may run when: decided without running anything."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.engine.plans import Stage, make, scripted
from xnai_validate.engine.schedule import Schedule
from xnai_validate.model.results.status import Status
from xnai_validate.plan import Limits, PlannedCheck

BY = scripted(Stage())


def ids(checks: list[PlannedCheck]) -> list[str]:
    return [check.id for check in checks]


def test_checks_are_admitted_in_the_order_of_the_plan_up_to_the_limit() -> None:
    """No more than `concurrency` run, and a free place goes to the first in the plan."""
    checks = [make(f"c{n}", BY) for n in range(5)]
    schedule = Schedule(checks, Limits(concurrency=2))
    assert ids(schedule.admit()) == ["c0", "c1"]
    assert ids(schedule.admit()) == []
    schedule.finish(checks[1].id, Status.PASS)
    assert ids(schedule.admit()) == ["c2"]


def test_a_busy_target_does_not_keep_others_waiting() -> None:
    """Checks of a target at its limit wait; those of other targets overtake them; then order holds again."""
    checks = [make(f"api{n}", BY, target="api") for n in range(4)] + [make("redis", BY, target="redis")]
    schedule = Schedule(checks, Limits(concurrency=16, per_target=2))
    assert ids(schedule.admit()) == ["api0", "api1", "redis"]
    schedule.finish(checks[0].id, Status.PASS)
    assert ids(schedule.admit()) == ["api2"]
    schedule.finish(checks[1].id, Status.FAIL)
    schedule.finish(checks[2].id, Status.PASS)
    assert ids(schedule.admit()) == ["api3"]


def test_a_check_that_runs_alone_comes_when_no_other_check_can_start() -> None:
    """An exclusive check starts when nothing runs and no other check can start, and nothing starts beside it."""
    checks = [
        make("alone", BY, exclusive=True),
        make("a", BY),
        make("b", BY, needs=("a",)),
        make("c", BY, needs=("alone",)),
    ]
    schedule = Schedule(checks, Limits())
    assert ids(schedule.admit()) == ["a"]
    schedule.finish("a", Status.PASS)
    assert ids(schedule.admit()) == ["b"]
    schedule.finish("b", Status.PASS)
    assert ids(schedule.admit()) == ["alone"]
    assert ids(schedule.admit()) == []
    schedule.finish("alone", Status.PASS)
    assert ids(schedule.admit()) == ["c"]


def test_checks_that_run_alone_keep_the_order_of_the_plan() -> None:
    """What a plan puts last, for what it does to the stack, runs last."""
    checks = [make("first", BY, exclusive=True, timeout_s=1), make("last", BY, exclusive=True, timeout_s=99)]
    assert ids(Schedule(checks, Limits()).admit()) == ["first"]


def test_checks_of_a_group_run_alone_together() -> None:
    """Checks that name the same group start at once, up to the limit, and nothing else runs meanwhile."""
    checks = [make(f"light{n}", BY, exclusive=True, together="light") for n in range(3)]
    checks += [make("heavy", BY, exclusive=True), make("plain", BY)]
    schedule = Schedule(checks, Limits(concurrency=2))
    assert ids(schedule.admit()) == ["plain"]
    schedule.finish("plain", Status.PASS)
    assert ids(schedule.admit()) == ["light0", "light1"]
    schedule.finish("light0", Status.PASS)
    assert ids(schedule.admit()) == []
    schedule.finish("light1", Status.PASS)
    assert ids(schedule.admit()) == ["light2"]
    schedule.finish("light2", Status.PASS)
    assert ids(schedule.admit()) == ["heavy"]


def test_the_longest_chain_starts_first() -> None:
    """Of checks that can start, the one that the longest chain of time limits waits for is first."""
    checks = [
        make("leaf", BY),
        make("long", BY, timeout_s=90),
        make("root", BY),
        make("end", BY, needs=("root",), timeout_s=80),
    ]
    assert ids(Schedule(checks, Limits(concurrency=2)).admit()) == ["root", "long"]


@pytest.mark.parametrize("why", ["exclusive", "disruptive", "checker"])
def test_what_runs_alone(why: str) -> None:
    """A check runs alone if it is declared so, disturbs the stack, or has a checker that requires it."""
    by = scripted(Stage(), exclusive=why == "checker")
    checks = [make("x", by, exclusive=why == "exclusive", disruptive=why == "disruptive"), make("y", BY)]
    schedule = Schedule(checks, Limits())
    assert ids(schedule.admit()) == ["y"]
    schedule.finish("y", Status.PASS)
    assert ids(schedule.admit()) == ["x"]


def test_an_exclusive_observation_makes_its_check_run_alone() -> None:
    """A check that measures through an exclusive checker runs alone too."""
    inner = make("inner", scripted(Stage(), exclusive=True)).measurement
    checks = [make("outer", BY, observations={"key": inner}), make("other", BY)]
    schedule = Schedule(checks, Limits())
    assert ids(schedule.admit()) == ["other"]
    schedule.finish("other", Status.PASS)
    assert ids(schedule.admit()) == ["outer"]


def test_the_root_cause_is_named_all_along_the_path() -> None:
    """What a failure blocks names the check that failed, not the one in between that was skipped."""
    checks = [make("root", BY), make("mid", BY, needs=("root",)), make("leaf", BY, needs=("mid",))]
    schedule = Schedule(checks, Limits())
    schedule.admit()
    blocked = schedule.finish(checks[0].id, Status.FAIL)
    assert [(planned.check.id, planned.cause.id) for planned in blocked] == [("mid", "root"), ("leaf", "root")]
    assert blocked[1].cause.sentence() == "needs root, which failed"
    assert schedule.done


def test_of_several_failed_needs_the_first_written_is_the_cause() -> None:
    """The cause does not depend on which need happened to end first."""
    checks = [make("a", BY), make("b", BY), make("c", BY, needs=("b", "a", "b"))]
    schedule = Schedule(checks, Limits())
    schedule.admit()
    assert schedule.finish(checks[0].id, Status.ERROR) == []
    (blocked,) = schedule.finish(checks[1].id, Status.SKIP)
    assert blocked.cause.sentence() == "needs b, which was skipped"


@pytest.mark.parametrize("status", [Status.PASS, Status.FAIL, Status.ERROR, Status.SKIP])
def test_what_only_comes_after_a_check_runs_whatever_comes_of_it(status: Status) -> None:
    """Order is no need: the check waits for the end of the other, and no status of that blocks it."""
    checks = [make("first", BY), make("second", BY, after=("first", "elsewhere")), make("third", BY, needs=("second",))]
    schedule = Schedule(checks, Limits())
    assert ids(schedule.admit()) == ["first"]
    assert schedule.finish("first", status) == []
    assert ids(schedule.admit()) == ["second"]
    schedule.finish("second", Status.PASS)
    assert ids(schedule.admit()) == ["third"]


def test_a_check_that_is_blocked_blocks_no_check_that_comes_after_it() -> None:
    """Also what was not started is over: skipped by its needs, or by itself."""
    checks = [
        make("root", BY),
        make("mid", BY, needs=("root",)),
        make("last", BY, after=("mid", "off")),
        make("off", BY, skip="not configured"),
    ]
    schedule = Schedule(checks, Limits())
    schedule.leave_out("off")
    assert ids(schedule.admit()) == ["root"]
    assert [blocked.check.id for blocked in schedule.finish("root", Status.FAIL)] == ["mid"]
    assert ids(schedule.admit()) == ["last"]


def test_an_order_that_forms_a_cycle_is_refused() -> None:
    """It would wait for ever, as needs do."""
    with pytest.raises(ValueError, match=r"cycle: a, b$"):
        Schedule([make("a", BY, needs=("b",)), make("b", BY, after=("a",))], Limits())


def test_a_cycle_is_refused() -> None:
    """Needs that form a cycle, which would wait for ever, are refused with their ids."""
    checks = [make("a", BY, needs=("b",)), make("b", BY, needs=("a",)), make("free", BY)]
    with pytest.raises(ValueError, match=r"cycle: a, b$"):
        Schedule(checks, Limits())


def test_unknown_needs_and_equal_ids_are_refused() -> None:
    """A need outside of the plan and two checks of one id are errors of the plan's author."""
    with pytest.raises(ValueError, match="x needs nothing-like-it"):
        Schedule([make("x", BY, needs=("nothing-like-it",))], Limits())
    with pytest.raises(ValueError, match="same id"):
        Schedule([make("x", BY), make("x", BY)], Limits())


def test_held_back_checks_let_others_pass_and_come_back() -> None:
    """While memory is short, checks that run alone wait and others go on; then they run in their order."""
    checks = [make("alone", BY, exclusive=True), make("a", BY), make("b", BY, needs=("alone",))]
    schedule = Schedule(checks, Limits())
    schedule.hold(True)
    assert ids(schedule.admit()) == ["a"]
    assert not schedule.stalled
    schedule.finish(checks[1].id, Status.PASS)
    assert schedule.stalled
    schedule.hold(False)
    assert ids(schedule.admit()) == ["alone"]


@st.composite
def graphs(draw: st.DrawFn) -> tuple[list[PlannedCheck], dict[str, Status], Limits]:
    """A plan without circles whose needs point forwards and backwards, how each check ends, and limits."""
    size = draw(st.integers(1, 24))
    order = draw(st.permutations(range(size)))
    rank = {place: at for at, place in enumerate(order)}
    checks, ends = [], {}
    for place in range(size):
        before = [other for other in range(size) if rank[other] < rank[place]]
        needs = draw(st.lists(st.sampled_from(before), unique=True, max_size=3)) if before else []
        skip = "not today" if draw(st.integers(0, 9)) == 0 else None
        target = draw(st.sampled_from([None, "api", "redis"]))
        alone = draw(st.integers(0, 5)) == 0
        needed = tuple(f"c{need}" for need in needs)
        checks.append(make(f"c{place}", BY, target=target, needs=needed, skip=skip, exclusive=alone))
        ends[f"c{place}"] = draw(st.sampled_from([Status.PASS, Status.PASS, Status.FLAKY, Status.FAIL, Status.ERROR]))
    return checks, ends, Limits(concurrency=draw(st.integers(1, 5)), per_target=draw(st.integers(1, 3)))


@settings(max_examples=80, deadline=None)
@given(graph=graphs(), seed=st.integers(0, 1000))
def test_any_plan_ends_and_every_rule_of_the_schedule_holds(
    graph: tuple[list[PlannedCheck], dict[str, Status], Limits], seed: int
) -> None:
    """Whatever the needs, the outcomes and the order of endings: each check ends once, limits hold, causes are real."""
    checks, ends, limits = graph
    by_id = {check.id: check for check in checks}
    schedule = Schedule(checks, limits)
    chance = random.Random(seed)
    final: dict[str, Status] = {}
    running: list[PlannedCheck] = []

    def settle(check: PlannedCheck, status: Status, blocked: list) -> None:  # type: ignore[type-arg]
        assert check.id not in final
        final[check.id] = status
        for blocked_check in blocked:
            assert blocked_check.check.id not in final
            final[blocked_check.check.id] = Status.SKIP
            root = by_id[blocked_check.cause.id]
            assert final[root.id] is blocked_check.cause.status
            assert blocked_check.cause.status in (Status.FAIL, Status.ERROR) or root.skip is not None

    for check in checks:
        if check.skip:
            settle(check, Status.SKIP, schedule.leave_out(check.id))
    while not schedule.done:
        for check in schedule.admit():
            assert check.skip is None
            assert all(final[need].passed for need in check.needs)
            running.append(check)
        assert running, "nothing runs and nothing can begin"
        assert len(running) <= limits.concurrency
        assert all(sum(c.measurement.target == t for c in running) <= limits.per_target for t in ("api", "redis"))
        assert len(running) == 1 or not any(check.exclusive for check in running)
        ended = running.pop(chance.randrange(len(running)))
        settle(ended, ends[ended.id], schedule.finish(ended.id, ends[ended.id]))
    assert set(final) == set(by_id)
    for check in checks:
        ran = final[check.id] is not Status.SKIP
        assert ran == (check.skip is None and all(final[need].passed for need in check.needs))
