"""What a run takes over from the interrupted run that it finishes."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.engine.plans import CALM, Stage, make, scripted
from xnai_validate.engine import Engine
from xnai_validate.engine.events.earlier_part import NOT_RESUMED, EarlierPart, earlier_part
from xnai_validate.errors import XnaiError
from xnai_validate.model.results import events as ev
from xnai_validate.model.results.report import RunReport
from xnai_validate.model.results.report_builder import build_report
from xnai_validate.model.results.status import Status
from xnai_validate.plan import Plan, PlannedCheck

RUN = "20261122T170312-ab12cd"


def planned(stage: Stage, *, profiles: tuple[str, ...] = ("p",)) -> Plan:
    """Return a plan: `a` passes, `b` needs it and fails, `c` is blocked by `b`, `d` needs `a`, `e` stands alone."""
    by = scripted(stage)
    checks: tuple[PlannedCheck, ...] = (
        make("a", by),
        make("b", by, script={"answers": (500,)}, needs=("a",)),
        make("c", by, needs=("b",)),
        make("d", by, needs=("a",)),
        make("e", by),
    )
    return Plan(title="t", profiles=profiles, checks=checks, targets={})


def finished(plan: Plan, state: Path, part: EarlierPart | None = None) -> list[ev.Event]:
    """Run a plan to its end and return its events."""

    run_id = f"{RUN}{len(list(state.rglob('*.jsonl')))}"

    async def run() -> list[ev.Event]:
        resumed = NOT_RESUMED if part is None else part.resumed(plan)
        engine = Engine(plan, run_id=run_id, version="1", host={}, state=state, sample=lambda: CALM, resumed=resumed)
        async with engine.run() as events:
            return [event async for event in events]

    return asyncio.run(run())


def statuses(report: RunReport) -> dict[str, Status]:
    """Return the status of each check."""
    return {check.id: check.status for check in report.checks}


@pytest.mark.parametrize("length", range(1, 14))
def test_a_run_cut_anywhere_ends_with_the_same_report(tmp_path: Path, length: int) -> None:
    """Whatever the journal holds of a run, finishing it gives the verdicts of a whole run, each check measured once."""
    stage = Stage()
    whole = finished(planned(stage), tmp_path)
    part = earlier_part(whole[:length])
    known = {event.id for event in whole[:length] if isinstance(event, ev.CheckFinished) and event.attempts}
    rest = finished(planned(stage), tmp_path, part)
    started = [event.id for event in rest if isinstance(event, ev.CheckStarted)]
    assert set(started) == {"a", "b", "d", "e"} - known
    first, second = build_report(whole), build_report(rest)
    assert statuses(first) == statuses(second)
    assert (first.exit_code, first.summary, first.causes) == (second.exit_code, second.summary, second.causes)
    assert second.run.resumes == f"{RUN}0"
    assert [event.seq for event in rest] == list(range(1, len(rest) + 1))


def test_what_was_not_judged_is_measured_anew(tmp_path: Path) -> None:
    """An error is not a verdict; a check whose need is measured anew is measured anew too; so is what was blocked."""
    part = earlier_part(finished(planned(Stage()), tmp_path))
    assert set(part.finished) == {"a", "b", "d", "e"}
    del part.finished["a"]
    assert part.resumed(planned(Stage())).ids == {"e"}


def test_faults_of_kept_checks_stay_in_the_report(tmp_path: Path) -> None:
    """A fault whose check is measured anew is left out: it is injected again."""
    whole = finished(planned(Stage()), tmp_path)
    faults: list[ev.Event] = []
    for check in ("a", "gone"):
        faults.append(ev.FaultInjected(seq=1, at=5.0, fault="process.stop", target="api", undo=check, check=check))
        faults.append(ev.FaultReverted(seq=1, at=6.0, undo=check, proven=True))
    part = earlier_part([whole[0], *faults, *whole[1:]])
    report = build_report(finished(planned(Stage()), tmp_path, part))
    (fault,) = report.faults
    assert (fault.injected_at, fault.proven) == ("1970-01-01T00:00:05.000Z", True)


def test_another_plan_is_named(tmp_path: Path) -> None:
    """Other profiles, other checks and other definitions are told apart."""
    part = earlier_part(finished(planned(Stage()), tmp_path))
    assert part.differences(planned(Stage())) == []
    assert part.differences(planned(Stage(), profiles=("q",))) == ["profiles: p before, q now"]
    plan = planned(Stage())
    fewer = Plan(title="t", profiles=("p",), checks=plan.checks[:2], targets={})
    assert part.differences(fewer) == ["checks that are not selected now: c, d, e"]
    other = make("a", scripted(Stage()), script={"answers": (201,)})
    changed = Plan(title="t", profiles=("p",), checks=(other, *plan.checks[1:]), targets={})
    (sentence,) = part.differences(changed)
    assert sentence.startswith("checks of ")


def test_a_journal_without_a_beginning_is_refused() -> None:
    """Without `run-started` it is not known what was planned."""
    with pytest.raises(XnaiError, match="has no beginning"):
        earlier_part([])
