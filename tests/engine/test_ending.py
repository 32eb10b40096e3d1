"""How runs end: at the first failure, at the deadline, from outside, and when no server listens any more."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.engine.clock import run_virtual
from tests.engine.plans import (
    Stage,
    collect,
    declared,
    engine_of,
    finished,
    make,
    plan_of,
    results,
    scripted,
    statuses,
)
from xnai_validate.engine.engine import CANCEL_AGAIN_S
from xnai_validate.kit import Context, Facts, Params, checker
from xnai_validate.model.judging.rules import Rule
from xnai_validate.model.results.events import CheckFinished, CheckStarted, Event, RunFinished
from xnai_validate.model.results.status import Status
from xnai_validate.plan import Limits


class NoParams(Params):
    pass


class Done(Facts):
    rounds: int


def test_fail_fast_ends_the_run_at_the_first_failure(tmp_path: Path) -> None:
    """The first failure is reported, what runs is cancelled, what waits is not reached, and nothing is left behind."""
    stage = Stage()
    by = scripted(stage)
    checks = [make("slow", by, script={"takes_s": 9.0}), make("bad", by, script={"answers": [500], "takes_s": 1.0})]
    checks += [make(f"later{n}", by, needs=("slow",)) for n in range(3)]
    checks.append(make("blocked", by, needs=("bad",)))
    events = run_virtual(collect(engine_of(plan_of(*checks), tmp_path, fail_fast=True)))
    report, by_id = results(events)
    assert statuses(events) == {"bad": "fail", "blocked": "skip"}
    assert by_id["blocked"].blocked_by == "bad"
    assert stage.cancelled == ["slow"]
    assert by_id["slow"].reason == by_id["later0"].reason == "not reached: fail-fast"
    assert report.exit_code == 1
    assert events[-1].at - events[0].at == pytest.approx(1.0)


def test_fail_fast_heeds_fail_on(tmp_path: Path) -> None:
    """With `fail_on` flaky, a flaky check ends the run; without it, it does not."""
    rule = (Rule("status", "equals", 200), Rule("text", "equals", "b", level="warn"))
    for fail_on, stopped in ([(Status.FAIL, Status.WARN), "fail-fast"], [(Status.FAIL,), None]):
        checks = [make("a", scripted(Stage()), rules=rule), make("b", scripted(Stage()), needs=("a",))]
        engine = engine_of(plan_of(*checks), tmp_path / str(stopped), fail_fast=True, fail_on=fail_on)
        end = run_virtual(collect(engine))[-1]
        assert isinstance(end, RunFinished)
        assert end.stopped == stopped


def test_the_deadline_ends_the_run(tmp_path: Path) -> None:
    """At the deadline what runs is cancelled; what ended before keeps its status; exit 5."""
    stage = Stage()
    by = scripted(stage)
    checks = [make("quick", by, script={"takes_s": 1.0}), make("slow", by, script={"takes_s": 500.0}, timeout_s=900.0)]
    events = run_virtual(collect(engine_of(plan_of(*checks, limits=Limits(deadline_s=30.0)), tmp_path)))
    report, by_id = results(events)
    assert (report.exit_code, report.run.stopped) == (5, "deadline")
    assert by_id["quick"].status is Status.PASS
    assert by_id["slow"].reason == "not reached: deadline"
    assert events[-1].at - events[0].at == pytest.approx(30.0)


def test_stopping_from_outside_interrupts(tmp_path: Path) -> None:
    """`stop` cancels what runs, begins nothing more, and the run ends with one run-finished; first reason counts."""
    stage = Stage()
    by = scripted(stage)
    checks = [make(f"c{n}", by, script={"takes_s": 1.0}) for n in range(10)]
    engine = engine_of(plan_of(*checks, limits=Limits(concurrency=2)), tmp_path)

    def at_third(event: Event) -> None:
        if isinstance(event, CheckFinished) and event.id == "c2":
            engine.stop("interrupted")
            engine.stop("memory")

    events = run_virtual(collect(engine, at_third))
    assert [e.stopped for e in events if isinstance(e, RunFinished)] == ["interrupted"]
    assert isinstance(events[-1], RunFinished)
    report, _ = results(events)
    assert (report.exit_code, report.summary.skip) == (130, 10 - len(finished(events)))
    assert len(stage.begun) <= 6


def test_stopped_before_it_begins(tmp_path: Path) -> None:
    """A run that is stopped before its first check has a beginning, an end, and touches nothing."""
    stage = Stage()
    engine = engine_of(plan_of(make("a", scripted(stage))), tmp_path)
    engine.stop("interrupted")
    events = run_virtual(collect(engine))
    assert [event.event for event in events] == ["run-started", "run-finished"]
    assert stage.begun == []


def test_leaving_early_cancels_everything(tmp_path: Path) -> None:
    """Who leaves the context early leaves no task behind, and the journal reports that the run was interrupted."""
    stage = Stage()
    engine = engine_of(plan_of(make("a", scripted(stage), script={"takes_s": 100.0}, timeout_s=200.0)), tmp_path)

    async def leave() -> None:
        async with engine.run() as events:
            async for event in events:
                if isinstance(event, CheckStarted):
                    await asyncio.sleep(0.1)
                    break

    run_virtual(leave())
    assert stage.cancelled == ["a"]
    assert engine.stopped == "interrupted"


def test_an_exception_of_the_reader_comes_through_unchanged(tmp_path: Path) -> None:
    """What the body raises is raised as it is, after everything was cancelled."""
    stage = Stage()
    engine = engine_of(plan_of(make("a", scripted(stage), script={"takes_s": 100.0}, timeout_s=200.0)), tmp_path)

    async def fail() -> None:
        async with engine.run() as events:
            async for event in events:
                if isinstance(event, CheckStarted):
                    await asyncio.sleep(0.1)
                    raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        run_virtual(fail())
    assert stage.cancelled == ["a"]


def test_cancelling_the_reader_ends_the_run_in_good_order(tmp_path: Path) -> None:
    """A cancelled caller waits for the end of what runs, and is then cancelled."""
    stage = Stage()
    engine = engine_of(plan_of(make("a", scripted(stage), script={"takes_s": 100.0}, timeout_s=200.0)), tmp_path)

    async def main() -> None:
        reader = asyncio.create_task(collect(engine))
        await asyncio.sleep(1.0)
        reader.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reader

    run_virtual(main())
    assert stage.cancelled == ["a"]


def test_a_checker_that_swallows_its_cancellation_is_cancelled_again(tmp_path: Path) -> None:
    """A run ends even where a checker goes on after it was cancelled, and its late result does not count."""

    @checker("deaf.once", target=False)
    async def deaf(params: NoParams, ctx: Context) -> Done:
        """Go on after a cancellation."""
        rounds = 0
        while rounds < 3:
            try:
                await asyncio.sleep(1000)
            except asyncio.CancelledError:
                rounds += 1
        return Done(rounds=rounds)

    check = make("a", declared(deaf), rules=(Rule("rounds", "min", 1),), timeout_s=5000.0)
    events = run_virtual(collect(engine_of(plan_of(check, limits=Limits(deadline_s=10.0)), tmp_path)))
    assert statuses(events) == {}
    assert events[-1].at - events[0].at == pytest.approx(10.0 + 2 * CANCEL_AGAIN_S)
