"""Events become a report: all that is known, also of a run that was killed."""

from __future__ import annotations

from dataclasses import replace

import pytest

from xnai_validate.model.json import to_json
from xnai_validate.model.judging.findings import Finding
from xnai_validate.model.judging.rules import Rule
from xnai_validate.model.results import events as ev
from xnai_validate.model.results.report import CheckInfo, Criterion, RunInfo, Source
from xnai_validate.model.results.report_builder import build_report
from xnai_validate.model.results.status import Status

RUN = RunInfo(id="r", title="P", profiles=("p",), started_at=1_700_000_000.5, host={}, version="1")


def info(name: str, category: str = "api") -> CheckInfo:
    return CheckInfo(
        id=f"{category}/s:{name}", title=name, category=category, kind="k.l", source=Source(file="f", line=1)
    )


def started(*checks: CheckInfo, criteria: tuple[Criterion, ...] = ()) -> ev.RunStarted:
    return ev.RunStarted(seq=1, at=1_700_000_000.5, run=RUN, checks=checks, criteria=criteria)


def finished(check: CheckInfo, status: Status) -> ev.CheckFinished:
    return ev.CheckFinished(seq=2, at=1_700_000_001.0, id=check.id, status=status)


END = ev.RunFinished(seq=9, at=1_700_000_002.0, elapsed_ms=1500.0)


def test_a_whole_run() -> None:
    """Counts, times, targets and the verdict."""
    a, b = info("a"), info("b")
    target = ev.TargetResolved(seq=2, at=0, target="api", url="http://x", tried=2, answered=True)
    report = build_report([started(a, b), target, finished(a, Status.PASS), finished(b, Status.FAIL), END])
    assert (report.exit_code, report.verdict) == (1, "failed")
    assert (report.summary.pass_, report.summary.fail) == (1, 1)
    assert report.run.started_at == "2023-11-14T22:13:20.500Z"
    assert report.run.elapsed_ms == 1500
    assert report.run.targets == {"api": "http://x"}


def test_a_killed_run_reports_what_it_measured() -> None:
    """Without its end, what has no status is skipped for that reason, and the run is interrupted."""
    a, b = info("a"), info("b")
    report = build_report([started(a, b), finished(a, Status.PASS)])
    assert [(check.status, check.reason) for check in report.checks] == [
        (Status.PASS, None),
        (Status.SKIP, "not reached: killed"),
    ]
    assert (report.exit_code, report.run.stopped, report.run.elapsed_ms) == (130, "killed", 500.0)


def test_a_fault_that_was_not_reverted_outranks_all() -> None:
    """A killed run with a fault active, and one that could not undo it, exit 4."""
    a = info("a")
    fault = ev.FaultInjected(seq=2, at=1.0, fault="redis.pause", target="redis", undo="u1")
    back = ev.FaultReverted(seq=3, at=2.0, undo="u1", proven=True)
    assert build_report([started(a), fault]).exit_code == 4
    assert build_report([started(a), fault, back]).exit_code == 130
    end = ev.RunFinished(seq=9, at=3.0, elapsed_ms=1, not_undone=("u1",))
    assert build_report([started(a), fault, end]).exit_code == 4
    (result,) = build_report([started(a), fault, back, END]).faults
    assert (result.proven, result.reverted_at) == (True, "1970-01-01T00:00:02.000Z")


def test_criteria_count_by_category_and_in_total() -> None:
    """passed counts flaky and warnings too; an unmet criterion fails a run whose checks passed."""
    checks = [info("a"), info("b"), info("c"), info("d", "health")]
    states = [Status.PASS, Status.FLAKY, Status.WARN, Status.SKIP]
    criteria = (
        Criterion(scope="api", rule=Rule("passed", "min", 3)),
        Criterion(scope="health", rule=Rule("passed", "min", 1)),
        Criterion(scope="total", rule=Rule("planned", "equals", 4)),
        Criterion(scope="nowhere", rule=Rule("passed", "min", 1)),
    )
    ends = [finished(check, state) for check, state in zip(checks, states, strict=True)]
    report = build_report([started(*checks, criteria=criteria), *ends, END])
    assert [(criterion.name, criterion.planned, criterion.actual, criterion.met) for criterion in report.criteria] == [
        ("api passed", "min 3", 3, True),
        ("health passed", "min 1", 0, False),
        ("total planned", "equals 4", 4, True),
        ("nowhere passed", "min 1", 0, False),
    ]
    assert report.exit_code == 1
    stopped = ev.RunFinished(seq=9, at=3.0, elapsed_ms=1, stopped="fail-fast")
    assert build_report([started(*checks, criteria=criteria), *ends, stopped]).exit_code == 0


def test_a_criterion_that_is_not_judged_neither_holds_nor_fails() -> None:
    """Where what it presupposes was not allowed, the report has its counts and the reason, and the run passes."""
    check = info("a")
    criterion = Criterion(scope="api", rule=Rule("passed", "min", 3), not_judged="needs --allow disruptive")
    report = build_report([started(check, criteria=(criterion,)), finished(check, Status.SKIP), END])
    (criterion_result,) = report.criteria
    assert (criterion_result.actual, criterion_result.met, criterion_result.not_judged) == (
        0,
        None,
        "needs --allow disruptive",
    )
    assert report.exit_code == 0


def test_a_criterion_is_not_judged_where_checks_found_that_they_do_not_apply() -> None:
    """What was attempted, and found that the stack lacks what it needs, might have passed; what is blocked not."""
    a, b = info("a"), info("b")
    criterion = Criterion(scope="api", rule=Rule("passed", "min", 2))
    lacking = replace(finished(b, Status.SKIP), attempts=1)
    blocked = replace(finished(b, Status.SKIP), blocked_by=a.id)
    results = [
        build_report([started(a, b, criteria=(criterion,)), finished(a, Status.PASS), end, END]).criteria[0]
        for end in (lacking, blocked)
    ]
    assert [result.met for result in results] == [None, False]
    assert results[0].not_judged == "1 of its checks found that this stack lacks what they need"


def test_events_survive_their_journal() -> None:
    """What is written as a line and read again folds to the same report."""
    a = info("a")
    finding = Finding("headers.x", "in", ["a"], None, False, "expect")
    end = ev.CheckFinished(seq=2, at=1.5, id=a.id, status=Status.FAIL, findings=(finding,), facts={"é": [1.5, None]})
    events: list[ev.Event] = [started(a), end, ev.Notice(seq=3, at=2.0, level="info", text="\u2028"), END]
    lines = [to_json(event) for event in events]
    assert not any(b"\n" in line for line in lines)
    assert build_report(map(ev.from_json, lines)) == build_report(events)


def test_events_without_a_beginning_are_refused() -> None:
    """A torn journal is not taken for an empty run."""
    with pytest.raises(ValueError, match="run-started is missing"):
        build_report([END])
    with pytest.raises(ValueError, match="event"):
        ev.from_json(b'{"event": "unheard-of"}')
