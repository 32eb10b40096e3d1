"""A waiver accepts a failure until its last day, and no other outcome."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from tests.engine.plans import Stage, collect, engine_of, finished, make, plan_of, results, scripted
from xnai_validate.engine import Engine
from xnai_validate.model.judging.rules import Rule
from xnai_validate.model.results.events import Event
from xnai_validate.model.results.report import Source, Waiver
from xnai_validate.model.results.status import Status
from xnai_validate.plan import PlannedCheck

WAIVER = Waiver(check="t:*", reason="known leak", until="2026-12-31", owner="ops", source=Source(file="w.yaml", line=3))
EXPIRED = replace(WAIVER, expired=True)


def run(engine: Engine) -> list[Event]:
    """All events of a run."""
    return asyncio.run(collect(engine))


def covered(check: PlannedCheck, waiver: Waiver = WAIVER) -> PlannedCheck:
    """The check with a waiver."""
    return replace(check, info=replace(check.info, waiver=waiver))


def bad(name: str, answer: int | str = 503, **more: object) -> PlannedCheck:
    """A check that does not pass."""
    return make(name, scripted(Stage()), script={"answers": [answer]}, **more)  # type: ignore[arg-type]


def test_a_waived_failure_does_not_fail_the_run(tmp_path: Path) -> None:
    """It keeps its findings and facts; its reason names the date, the owner and what failed."""
    report, checks = results(run(engine_of(plan_of(covered(bad("t:a"))), tmp_path)))
    assert (report.exit_code, report.summary.waived, report.summary.fail) == (0, 1, 0)
    check = checks["t:a"]
    assert check.status is Status.WAIVED
    assert check.reason == ("waived until 2026-12-31 (ops): known leak; it failed: status: expected 200, got 503")
    assert check.waiver == WAIVER
    assert [finding.held for finding in check.findings] == [False]


def test_an_expired_waiver_fails_again_and_is_named(tmp_path: Path) -> None:
    """The run fails as without it."""
    report, checks = results(run(engine_of(plan_of(covered(bad("t:a"), EXPIRED)), tmp_path)))
    assert (report.exit_code, report.summary.fail) == (1, 1)
    assert checks["t:a"].reason == ("status: expected 200, got 503; its waiver expired on 2026-12-31 (ops): known leak")


@pytest.mark.parametrize(("answer", "expected"), [("unmeasurable", Status.ERROR), ("na", Status.SKIP)])
def test_what_was_not_measured_is_not_waived(tmp_path: Path, answer: str, expected: Status) -> None:
    """An error may be another failure than the accepted one."""
    assert finished(run(engine_of(plan_of(covered(bad("t:a", answer))), tmp_path)))["t:a"].status is expected


def test_a_waiver_that_is_not_needed_is_reported(tmp_path: Path) -> None:
    """The check passes; a notice names the place of its waiver."""
    report, checks = results(run(engine_of(plan_of(covered(bad("t:a", 200))), tmp_path)))
    assert checks["t:a"].status is Status.PASS
    assert [notice.text for notice in report.notices] == [
        "t:a passed: its waiver is not needed (w.yaml:3, until 2026-12-31)"
    ]


def test_a_warning_is_waived_where_it_would_fail_the_run(tmp_path: Path) -> None:
    """With `--fail-on warn` a waiver accepts it; without, there is no failure to accept."""
    warns = covered(bad("t:a", rules=[Rule("status", "equals", 200, level="warn")]))
    for fail_on, expected in (((Status.FAIL, Status.WARN), Status.WAIVED), ((Status.FAIL,), Status.WARN)):
        state = tmp_path / expected
        report, checks = results(run(engine_of(plan_of(warns), state, fail_on=fail_on)))
        assert (checks["t:a"].status, report.exit_code) == (expected, 0)


def test_what_needs_a_waived_check_is_skipped(tmp_path: Path) -> None:
    """It cannot be measured; its reason names the waived failure."""
    needing = make("t:b", scripted(Stage()), needs=("t:a",))
    _, checks = results(run(engine_of(plan_of(covered(bad("t:a")), needing), tmp_path)))
    assert checks["t:b"].reason == "needs t:a, which failed (waived)"
    assert checks["t:b"].blocked_by == "t:a"


def test_fail_fast_does_not_end_at_a_waived_failure(tmp_path: Path) -> None:
    """The run goes on; `--fail-on waived` makes it a failure again."""
    plan = plan_of(covered(bad("t:a")), make("t:b", scripted(Stage()), needs=()))
    report, _ = results(run(engine_of(plan, tmp_path / "on", fail_fast=True)))
    assert (report.run.stopped, report.exit_code) == (None, 0)
    report, _ = results(run(engine_of(plan, tmp_path / "off", fail_on=(Status.FAIL, Status.WAIVED))))
    assert report.exit_code == 1
