"""Runs: what is emitted, in which order, and how a run ends."""

from __future__ import annotations

import asyncio
import time
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

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
from xnai_validate.engine import SystemClock
from xnai_validate.engine.engine import CANCEL_AGAIN_S
from xnai_validate.engine.outbox import BACKLOG
from xnai_validate.kit import Context, Facts, Observation, Params, Target, checker
from xnai_validate.model.events import (
    CheckFinished,
    CheckStarted,
    Event,
    Notice,
    Progress,
    RunFinished,
    RunStarted,
    TargetResolved,
)
from xnai_validate.model.rules import Rule
from xnai_validate.model.status import Status
from xnai_validate.plan import Candidate, Choice, Limits, Plan, PlannedTarget


class Nothing(Params):
    pass


class Done(Facts):
    rounds: int


class Ask(Params):
    first: Observation
    second: Observation


class Told(Facts):
    where: str
    held: bool


class Where(Facts):
    url: str


def test_events_are_numbered_and_begin_and_end_as_promised(tmp_path: Path) -> None:
    """1, 2, 3 without gaps: run-started, notices of the plan, targets, the checks, and one run-finished at the end."""
    plan = plan_of(
        make("a", scripted(Stage())), targets={"api": "http://127.0.0.1:1"}, notices=("a suite shadows a bundled one",)
    )
    events = run_virtual(collect(engine_of(plan, tmp_path)))
    assert [event.seq for event in events] == list(range(1, len(events) + 1))
    assert [event.event for event in events] == [
        "run-started",
        "notice",
        "target-resolved",
        "check-started",
        "attempt-finished",
        "check-finished",
        "run-finished",
    ]
    assert isinstance(events[0], RunStarted)
    assert events[0].checks[0].id == "a"


def test_an_empty_plan_is_a_run_too(tmp_path: Path) -> None:
    """A plan without checks ends at once."""
    events = run_virtual(collect(engine_of(plan_of(), tmp_path)))
    assert [event.event for event in events] == ["run-started", "run-finished"]


def test_where_no_candidate_answered_it_is_said(tmp_path: Path) -> None:
    """The event names the url and how many were tried, and a notice warns that it is only assumed."""
    places = tuple(Candidate(Target("api", f"http://127.0.0.1:{port}")) for port in (1, 2))
    targets = {
        "api": PlannedTarget("api", places, choice=Choice(0, 2, False)),
        "none": PlannedTarget("none", (Candidate(Target("none")),)),
    }
    plan = Plan("A test", ("made",), (), targets)
    events = run_virtual(collect(engine_of(plan, tmp_path)))
    (resolved,) = [event for event in events if isinstance(event, TargetResolved)]
    assert (resolved.target, resolved.tried, resolved.answered) == ("api", 2, False)
    assert any(isinstance(event, Notice) and "is assumed" in event.text for event in events)


def test_checks_run_after_their_needs_and_beside_each_other(tmp_path: Path) -> None:
    """Needs are waited for, wherever they stand in the plan; what has none runs at the same time."""
    stage = Stage()
    by = scripted(stage)
    checks = [
        make("late", by, needs=("early",)),
        make("early", by, script={"takes_s": 5.0}),
        make("free", by, script={"takes_s": 6.0}),
    ]
    events = run_virtual(collect(engine_of(plan_of(*checks), tmp_path)))
    assert stage.begun == ["early", "free", "late"]
    assert events[-1].at - events[0].at == pytest.approx(6.0)


def test_one_root_cause_reads_as_one_failure(tmp_path: Path) -> None:
    """What a failure blocks is skipped without being touched, and names the root."""
    stage = Stage()
    by = scripted(stage)
    checks = [
        make("root", by, script={"answers": [500]}),
        make("mid", by, needs=("root",)),
        make("leaf", by, needs=("mid",)),
        make("other", by),
    ]
    events = run_virtual(collect(engine_of(plan_of(*checks), tmp_path)))
    ends = finished(events)
    assert statuses(events) == {"root": "fail", "mid": "skip", "leaf": "skip", "other": "pass"}
    assert (ends["leaf"].blocked_by, ends["leaf"].reason) == ("root", "needs root, which failed")
    assert stage.begun == ["root", "other"]


def test_what_is_planned_as_skipped_is_not_touched_and_blocks(tmp_path: Path) -> None:
    """A check that is skipped beforehand keeps its own reason; what needs it is skipped because of it."""
    stage = Stage()
    by = scripted(stage)
    checks = [
        make("x", by, skip="target voice is not configured"),
        make("y", by, needs=("x",)),
        make("z", by, needs=("x",), skip="not allowed"),
    ]
    events = run_virtual(collect(engine_of(plan_of(*checks), tmp_path)))
    ends = finished(events)
    assert stage.begun == []
    assert ends["x"].reason == "target voice is not configured"
    assert (ends["y"].reason, ends["y"].blocked_by) == ("needs x, which was skipped", "x")
    assert ends["z"].reason == "not allowed"


def test_limits_hold_and_are_used_to_the_full(tmp_path: Path) -> None:
    """Never more at once than the limit, and never fewer while there is work."""
    stage = Stage()
    by = scripted(stage)
    checks = [make(f"c{n}", by, target=f"t{n % 3}", script={"takes_s": 1.0}) for n in range(24)]
    urls = {f"t{n}": "http://127.0.0.1:1" for n in range(3)}
    plan = plan_of(*checks, targets=urls, limits=Limits(concurrency=5, per_target=2))
    events = run_virtual(collect(engine_of(plan, tmp_path)))
    assert stage.most == 5
    assert all(sum(int(name[1:]) % 3 == t for name in seen) <= 2 for seen in stage.seen for t in range(3))
    assert events[-1].at - events[0].at == pytest.approx(5.0)


def test_a_check_that_runs_alone_sees_nobody(tmp_path: Path) -> None:
    """Exclusive and disruptive checks run with nothing beside them; the others still run together."""
    stage = Stage()
    by = scripted(stage)
    checks = [
        make(f"c{n}", by, exclusive=n == 4, disruptive=n == 8, script={"takes_s": 1.0 + n / 10}) for n in range(12)
    ]
    run_virtual(collect(engine_of(plan_of(*checks), tmp_path)))
    assert all(len(seen) == 1 for seen in stage.seen if seen & {"c4", "c8"})
    assert stage.most == 4
    assert stage.begun.index("c4") == 4, "it kept its place in the order"


def test_fail_fast_ends_the_run_at_the_first_failure(tmp_path: Path) -> None:
    """The first failure is reported, what runs is cancelled, what waits is not reached, and nothing is left behind."""
    stage = Stage()
    by = scripted(stage)
    checks = [make("slow", by, script={"takes_s": 9.0}), make("bad", by, script={"answers": [500], "takes_s": 1.0})]
    checks += [make(f"later{n}", by, needs=("slow",)) for n in range(3)]
    events = run_virtual(collect(engine_of(plan_of(*checks), tmp_path, fail_fast=True)))
    report, by_id = results(events)
    assert statuses(events) == {"bad": "fail"}
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
    """Who leaves the context early leaves no task behind, and the journal says that the run was interrupted."""
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
    async def deaf(params: Nothing, ctx: Context) -> Done:
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


def test_an_engine_runs_once(tmp_path: Path) -> None:
    """Entering a second time is refused."""
    engine = engine_of(plan_of(), tmp_path)
    run_virtual(collect(engine))
    with pytest.raises(RuntimeError, match="runs once"):
        run_virtual(collect(engine))


def test_observations_are_measured_by_their_own_kind_target_and_rules(tmp_path: Path) -> None:
    """`observe` finds what was compiled for the observation; an unknown one is the checker's fault."""

    @checker("far.url")
    async def url(params: Params, ctx: Context) -> Where:
        """Tell the url of the target."""
        return Where(url=str(ctx.target.url))

    @checker("far.ask", target=False)
    async def ask(params: Ask, ctx: Context) -> Told:
        """Ask another kind."""
        seen = await ctx.observe(params.first)
        if params.second.kind != "none":
            await ctx.observe(params.second)
        return Told(where=seen.facts["url"], held=seen.held)

    inner = make("i", declared(url), target="api", rules=(Rule("url", "matches", "^http"),)).measurement
    first, none = Observation(kind="far.url", target="api"), Observation(kind="none")
    good = make(
        "good",
        declared(ask),
        params=Ask(first=first, second=none),
        rules=(Rule("held", "equals", True),),
        observations={first.key: inner},
    )
    bad = make("bad", declared(ask), params=Ask(first=none, second=none), observations={first.key: inner})
    events = run_virtual(collect(engine_of(plan_of(good, bad, targets={"api": "http://127.0.0.1:9"}), tmp_path)))
    ends = finished(events)
    assert ends["good"].facts == {"where": "http://127.0.0.1:9", "held": True}
    assert ends["bad"].status is Status.ERROR


def test_progress_is_told_beside_the_events(tmp_path: Path) -> None:
    """What a long measurement says reaches the live display, short and without secrets, and is no event."""

    @checker("long.one", target=False)
    async def long(params: Params, ctx: Context) -> Done:
        """Say something."""
        ctx.progress("half of hunter2hunter2 " + "x" * 1000)
        return Done(rounds=1)

    said: list[Progress] = []
    plan = plan_of(make("a", declared(long), rules=()), secrets=frozenset({"hunter2hunter2"}))
    run_virtual(collect(engine_of(plan, tmp_path, on_progress=said.append)))
    assert [one.id for one in said] == ["a"]
    assert said[0].text.startswith("half of *** xxx")
    assert len(said[0].text) <= 200


def test_a_slow_reader_holds_the_run_back(tmp_path: Path) -> None:
    """With a full backlog no check begins, so memory stays bounded; afterwards the run goes on to its end."""
    stage = Stage()
    by = scripted(stage)
    checks = [make(f"c{n}", by) for n in range(BACKLOG)]
    engine = engine_of(plan_of(*checks, limits=Limits(concurrency=4)), tmp_path)

    async def slow() -> int:
        async with engine.run() as events:
            await asyncio.sleep(60.0)
            waiting = len(stage.begun)
            seen = [event async for event in events]
        assert len(finished(seen)) == BACKLOG
        return waiting

    assert run_virtual(slow()) <= BACKLOG // 3 + 8


def test_ten_thousand_checks(tmp_path: Path) -> None:
    """A plan of 10 000 checks runs in seconds; five times as many checks take about five times as long, not 25."""
    took = []
    for size in (2_000, 10_000):
        by = scripted(Stage())
        checks = [
            make(f"c{n}", by, needs=(f"c{n - 3}",) if n % 5 == 3 else (), target=f"t{n % 3}") for n in range(size)
        ]
        begun = time.process_time()
        engine = engine_of(plan_of(*checks), tmp_path / str(size), SystemClock())
        events = asyncio.run(collect(engine))
        took.append(time.process_time() - begun)
        assert len(finished(events)) == size
        assert set(statuses(events).values()) == {Status.PASS}
    assert took[1] < 12 * took[0]
    assert took[1] < 20.0


@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_any_run_finishes_every_check_once(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    """Random needs, outcomes, durations and limits: all checks finish once, causes really failed, limits hold."""
    size = data.draw(st.integers(1, 20))
    stage = Stage()
    by = scripted(stage)
    answers = st.sampled_from([200, 200, 200, 500, "unmeasurable", "na", "broken", "cancelled"])
    checks = []
    for n in range(size):
        needs = data.draw(st.lists(st.integers(0, n - 1), max_size=2, unique=True)) if n else []
        script = {"answers": [data.draw(answers)], "takes_s": data.draw(st.sampled_from([0.0, 0.5, 1.0, 40.0]))}
        checks.append(make(f"c{n}", by, needs=tuple(f"c{i}" for i in needs), script=script, exclusive=n % 7 == 6))
    plan = plan_of(*checks, limits=Limits(concurrency=data.draw(st.integers(1, 4)), deadline_s=10_000.0))
    events = run_virtual(collect(engine_of(plan, tmp_path_factory.mktemp("run"))))
    ends = finished(events)
    assert set(ends) == {check.id for check in checks}
    assert stage.most <= plan.limits.concurrency
    assert all(after.seq == before.seq + 1 for before, after in pairwise(events))
    for check in checks:
        end = ends[check.id]
        failed = [need for need in check.needs if not ends[need].status.passed]
        assert (end.blocked_by is not None) == bool(failed)
        if end.blocked_by is not None:
            root = ends[end.blocked_by]
            assert end.status is Status.SKIP
            assert root.blocked_by is None
            assert not root.status.passed
