"""The last lines of a report: the counts, the causes again, the verdict."""

from __future__ import annotations

from tests.report.runs import CASES, Script
from xnai_validate.model.results.report_builder import build_report
from xnai_validate.model.results.status import Status
from xnai_validate.report.terminal.report import report_text
from xnai_validate.report.view import View


def test_many_failures_are_named_again_at_the_end() -> None:
    """What scrolled away is named beside the verdict, by cause; few failures still stand on the screen and are not."""
    script = Script("x", "x")
    for number_ in range(3):
        script.check(f"a/s:c{number_}", f"Check {number_}", Status.FAIL, reason="no")
    assert "causes" not in report_text(build_report(script.events()), View())
    script.check("b/s:d", "Check d", Status.ERROR, reason="no")
    script.check("b/s:e", "Check e", Status.ERROR, reason="no")
    text = report_text(build_report(script.events()), View())
    named = ["1. Check 0: a/s:c0", "2. Check 1: a/s:c1", "3. Check 2: a/s:c2", "4. Check d: b/s:d (1 alike)"]
    assert f"\n4 causes  {named[0]}\n" in text
    assert "\n".join(f"{' ' * 10}{name}" for name in named[1:]) in text


def test_quiet_shows_what_is_wrong_and_the_verdict() -> None:
    """Quiet leaves the failures and the last lines; a run in which all passed is three lines or fewer beyond a rule."""
    failed = report_text(build_report(CASES["failed"][1]()), View(detail="quiet"))
    assert "The gateway answers" in failed
    assert "category" not in failed
    assert len(report_text(build_report(CASES["passed"][1]()), View(detail="quiet")).splitlines()) <= 6


def test_a_run_without_a_measurement_does_not_look_healthy() -> None:
    """Where every check was skipped the verdict does not read as if the stack were well."""
    script = Script("x", "x")
    script.check("a/b:c", "T", Status.SKIP, reason="target api is not configured")
    assert "none was measured" in report_text(build_report(script.events()), View())


def test_broken_reporter_is_named_and_raises_the_exit_code() -> None:
    """A reporter that broke is named, and a run that passed ends with 3."""
    text = report_text(build_report(CASES["passed"][1]()), View(broken=("live: it broke",)))
    assert "live: it broke" in text
    assert "\nUNDECIDED (exit 3): a reporter broke" in text
