"""The time line of a run: bars of checks, faults in force, recoveries."""

from __future__ import annotations

from dataclasses import replace

from tests.report.pictured import pictured
from tests.report.runs import START, Script
from xnai_validate.model.results import events as ev
from xnai_validate.model.results.report_builder import build_report
from xnai_validate.model.results.status import Status
from xnai_validate.report.html.timeline import LANES, TimeLine, time_line


def line() -> TimeLine:
    """The time line of the run with all figures."""
    found = time_line(build_report(pictured()))
    assert found is not None
    return found


def test_each_category_is_a_row_with_a_bar_for_each_check() -> None:
    """In the order of the report, each bar with the id, the status and the time of its check."""
    rows = {row.name: row for row in line().rows}
    assert list(rows) == ["performance", "breakers", "recovery", "health", "api"]
    [bar] = rows["api"].bars
    assert bar.style == "fail"
    assert bar.label.startswith("The API is healthy (api/health:up): fail, 100 ms from ")
    assert rows["api"].description.endswith("of the run: 1 fail")


def test_faults_are_bands_and_recoveries_follow_them() -> None:
    """A fault until its revert, then the time that the check measured until the stack was steady."""
    found = line()
    assert found.faults is not None
    assert [bar.style for bar in found.faults.bars] == ["fault", "fault", "recovery"]
    pause, _, recovery = found.faults.bars
    assert pause.label.startswith("process.pause llm: in force for 100 ms")
    assert recovery.label == "redis.pause redis: steady after 50 ms"
    assert [band.x for band in found.bands] == [bar.x for bar in found.faults.bars if bar.style == "fault"]
    assert found.key == [("pass", "pass"), ("fail", "fail"), ("fault", "fault in force"), ("recovery", "recovering")]


def test_a_fault_that_is_still_in_force_lasts_to_the_end() -> None:
    """And has a colour of its own."""
    events = [event for event in pictured() if not isinstance(event, ev.FaultReverted)]
    found = time_line(build_report(events))
    assert found is not None
    assert found.faults is not None
    assert {bar.style for bar in found.faults.bars} == {"fault unproven"}
    assert all(round(bar.x + bar.width) == 100 for bar in found.faults.bars)
    assert found.faults.bars[0].label.startswith("process.pause llm: may still be in force")


def test_checks_at_the_same_time_lie_below_one_another_up_to_a_bound() -> None:
    """However many run at once, a row is a few lines high."""
    script = Script("Wide", "wide")
    for number in range(20):
        script.check(f"a/b:c{number}", "T", Status.FAIL if number == 3 else Status.PASS)
    first, *others = script.events()
    started = [replace(event, at=START) for event in others if isinstance(event, ev.CheckStarted)]
    ended = [replace(event, at=START + 2) for event in others if isinstance(event, ev.CheckFinished)]
    found = time_line(build_report([first, *started, *ended, others[-1]]))
    assert found is not None
    [row] = found.rows
    assert {bar.lane for bar in row.bars} == set(range(LANES))
    assert row.bars[-1].style == "fail"


def test_a_run_without_times_has_no_time_line() -> None:
    """A journal in which no check has begun."""
    events = [event for event in pictured() if not isinstance(event, ev.CheckStarted)]
    assert time_line(build_report(events)) is None
