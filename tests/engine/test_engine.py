"""Runs: what is emitted, in which order, and what checks see."""

from __future__ import annotations

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
    scripted,
    statuses,
)
from xnai_validate.kit import Context, Facts, Observation, Params, Target, checker
from xnai_validate.model.judging.rules import Rule
from xnai_validate.model.results.events import Notice, Progress, RunStarted, TargetResolved
from xnai_validate.model.results.status import Status
from xnai_validate.model.target import Choice
from xnai_validate.plan import Candidate, Limits, Plan, PlannedTarget


class Done(Facts):
    rounds: int


class Ask(Params):
    first: Observation
    second: Observation


class Observed(Facts):
    where: str
    held: bool


class Where(Facts):
    url: str


def test_warnings_of_the_plan_are_warnings_of_the_run(tmp_path: Path) -> None:
    """What makes results less certain is a warning, before the notices of the plan, so that every report shows it."""
    plan = plan_of(make("a", scripted(Stage())), notices=("n",), warnings=("the certificate of api is not verified",))
    events = run_virtual(collect(engine_of(plan, tmp_path)))
    notices = [(event.level, event.text) for event in events if isinstance(event, Notice)]
    assert notices == [("warning", "the certificate of api is not verified"), ("info", "n")]


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


def test_a_target_without_an_answering_candidate_is_reported(tmp_path: Path) -> None:
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


def test_a_check_that_runs_alone_has_no_neighbour(tmp_path: Path) -> None:
    """Exclusive and disruptive checks run with nothing beside them; the others still run together."""
    stage = Stage()
    by = scripted(stage)
    checks = [
        make(f"c{n}", by, exclusive=n == 4, disruptive=n == 8, script={"takes_s": 1.0 + n / 10}) for n in range(12)
    ]
    run_virtual(collect(engine_of(plan_of(*checks), tmp_path)))
    assert all(len(seen) == 1 for seen in stage.seen if seen & {"c4", "c8"})
    assert stage.most > 4
    assert stage.begun[-2:] == ["c4", "c8"], "they come last, in the order of the plan"


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
        """Return the url of the target."""
        return Where(url=str(ctx.target.url))

    @checker("far.ask", target=False)
    async def ask(params: Ask, ctx: Context) -> Observed:
        """Ask another kind."""
        seen = await ctx.observe(params.first)
        if params.second.kind != "none":
            await ctx.observe(params.second)
        return Observed(where=seen.facts["url"], held=seen.held)

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


def test_progress_is_reported_beside_the_events(tmp_path: Path) -> None:
    """Progress of a long measurement reaches the live display, short and without secrets, and is not an event."""

    @checker("long.one", target=False)
    async def long(params: Params, ctx: Context) -> Done:
        """Report progress."""
        ctx.progress("half of hunter2hunter2 " + "x" * 1000)
        return Done(rounds=1)

    reports: list[Progress] = []
    plan = plan_of(make("a", declared(long), rules=()), secrets=frozenset({"hunter2hunter2"}))
    run_virtual(collect(engine_of(plan, tmp_path, on_progress=reports.append)))
    assert [progress.id for progress in reports] == ["a"]
    assert reports[0].text.startswith("half of *** xxx")
    assert len(reports[0].text) <= 200
