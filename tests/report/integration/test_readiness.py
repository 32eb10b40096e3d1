"""The rules of readiness, one by one."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.report import runs
from xnai_validate.model.results.report import RunReport, Summary
from xnai_validate.model.results.report_builder import build_report
from xnai_validate.model.results.severity import Severity
from xnai_validate.model.results.status import Status
from xnai_validate.report.integration.compilation import compile_integration
from xnai_validate.report.integration.models import IntegrationReport, Scope
from xnai_validate.report.integration.readiness import RULES


def compiled(report: RunReport, *missing: str) -> IntegrationReport:
    """Compile one run."""
    return compile_integration([report], Scope(missing=missing))


def failing(severity: Severity, status: Status = Status.FAIL) -> RunReport:
    """Return a run without criteria whose first check has a severity and does not pass."""
    report = build_report(runs.passed())
    first = replace(report.checks[0], status=status, severity=severity, reason="it did not hold")
    return replace(report, checks=(first, *report.checks[1:]), criteria=())


def test_a_run_in_which_all_passed_is_ready() -> None:
    """No obstacle, no condition; the rules are part of the report."""
    readiness = compiled(build_report(runs.passed())).readiness
    assert (readiness.level, readiness.obstacles, readiness.conditions) == ("ready", (), ())
    assert readiness.rules == RULES
    assert readiness.met == (0, 0, 0, 0, 0, 0, 1)


def test_each_rule_is_reported_with_how_often_it_applies() -> None:
    """A reader finds which rules decided: a critical cause and a missing phase here."""
    readiness = compiled(failing(Severity.CRITICAL), "phase4.3 has not run").readiness
    assert readiness.met == (0, 1, 1, 0, 0, 0, 0)
    assert len(readiness.met) == len(readiness.rules)


@pytest.mark.parametrize(
    ("severity", "level"),
    [
        (Severity.CRITICAL, "not ready"),
        (Severity.HIGH, "not ready"),
        (Severity.MEDIUM, "ready with conditions"),
        (Severity.LOW, "ready with conditions"),
    ],
)
def test_the_severity_of_a_failure_decides(severity: Severity, level: str) -> None:
    """A grave cause is an obstacle, another a condition."""
    report = compiled(failing(severity))
    assert report.readiness.level == level
    assert [cause.severity for cause in report.causes] == [severity]


def test_what_could_not_be_measured_is_a_condition() -> None:
    """An error is not known to be a failure, whatever its severity."""
    assert compiled(failing(Severity.CRITICAL, Status.ERROR)).readiness.level == "ready with conditions"


def test_a_missing_phase_an_unmet_criterion_and_a_stopped_run_are_obstacles() -> None:
    """Each is named."""
    report = compiled(build_report(runs.passed()), "phase4.3 has not run")
    assert (report.readiness.level, report.readiness.obstacles) == ("not ready", ("phase4.3 has not run",))
    assert report.exit_code == 3
    unmet = build_report(runs.passed())
    criterion = replace(unmet.criteria[0], met=False, actual=1)
    (obstacle,) = compiled(replace(unmet, criteria=(criterion,))).readiness.obstacles
    assert obstacle == "criterion of preflight: services passed at least 2, got 1"
    stopped = compiled(build_report(runs.deadline()))
    assert any("did not reach its end (deadline)" in text for text in stopped.readiness.obstacles)


def test_a_fault_that_may_be_in_force_is_an_obstacle() -> None:
    """Its exit code outranks all others."""
    report = compiled(build_report(runs.disturbed(proven=False)))
    assert report.readiness.obstacles[0] == "the fault host.memory of the host may still be in force"
    assert (report.readiness.level, report.exit_code) == ("not ready", 4)
    assert compiled(build_report(runs.disturbed(proven=True))).readiness.level == "ready"


def test_waivers_are_conditions() -> None:
    """A known failure is accepted, and named."""
    report = compiled(build_report(runs.waived()))
    assert any(text.startswith("waived until ") for text in report.readiness.conditions)
    assert report.known_failures


def test_a_run_that_judged_nothing_is_an_obstacle() -> None:
    """All of its checks were skipped, for whatever reason."""
    report = build_report(runs.passed())
    skipped = tuple(replace(check, status=Status.SKIP, reason="not configured") for check in report.checks)
    nothing = replace(report, checks=skipped, criteria=(), exit_code=3, summary=Summary(skip=len(skipped)))
    whole = compiled(nothing)
    assert (whole.readiness.level, whole.exit_code) == ("not ready", 3)
    assert "judged nothing" in whole.readiness.obstacles[0]


def test_a_run_that_failed_for_a_reason_of_its_own_is_an_obstacle() -> None:
    """Such as `--fail-on warn`: no check failed, and its exit code is that of the whole."""
    whole = compiled(replace(build_report(runs.passed()), criteria=(), exit_code=1))
    assert (whole.readiness.level, whole.exit_code) == ("not ready", 1)
    assert "ended with exit code 1" in whole.readiness.obstacles[0]


def test_a_later_run_of_the_same_profile_replaces_an_earlier_one() -> None:
    """Its criteria count, not those that the earlier one did not meet."""
    after = build_report(runs.passed())
    unmet = replace(after.criteria[0], met=False, actual=1)
    before = replace(after, criteria=(unmet,), run=replace(after.run, id="earlier", started_at="2020-01-01T00:00:00Z"))
    whole = compile_integration([after, before], Scope())
    assert (whole.readiness.level, whole.exit_code) == ("ready", 0)
    assert len(whole.runs) == 2
