"""From several runs to one report."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.history.reports import report_of_run
from tests.report import runs
from tests.report.pictured import pictured
from xnai_validate.model.results.report_builder import build_report
from xnai_validate.model.results.severity import Severity
from xnai_validate.model.results.status import Status
from xnai_validate.report.integration.compilation import compile_integration
from xnai_validate.report.integration.models import Scope
from xnai_validate.report.loads import loads_of


def test_a_check_counts_once_as_the_last_run_that_judged_it() -> None:
    """A later run that left a check out does not hide its result; the order of the arguments does not matter."""
    first = report_of_run(1, {"a": Status.FAIL, "b": Status.PASS, "c": Status.PASS})
    second = report_of_run(2, {"a": Status.PASS, "b": Status.SKIP, "d": Status.PASS})
    report = compile_integration([second, first], Scope())
    assert [run.id for run in report.runs] == ["run-0001", "run-0002"]
    assert (report.summary.pass_, report.summary.fail, report.summary.skip) == (4, 0, 0)
    assert report.causes == ()


def test_causes_come_by_severity() -> None:
    """The gravest first; of equal ones that which blocks the most; each with the run that found it."""
    report = report_of_run(1, {"a": Status.FAIL, "b": Status.FAIL, "c": Status.ERROR})
    severities = {"a": Severity.LOW, "b": Severity.CRITICAL, "c": Severity.HIGH}
    checks = tuple(replace(check, severity=severities[check.id], fix="Mend it.") for check in report.checks)
    causes = compile_integration([replace(report, checks=checks)], Scope()).causes
    assert [cause.id for cause in causes] == ["b", "c", "a"]
    assert {cause.run for cause in causes} == {"run-0001"}
    assert causes[0].recommendation == "Mend it."
    assert causes[0].impact == "1 check fails, in api"


def test_gaps_of_the_plan_and_of_checks() -> None:
    """A gap that no check covers is listed as not covered, one that only checks name is listed too."""
    report = report_of_run(1, {"a": Status.PASS, "b": Status.ERROR})
    checks = tuple(replace(check, covers=("KG-2",)) for check in report.checks)
    gaps = compile_integration([replace(report, checks=checks)], Scope(gaps={"KG-1": "First"})).gaps
    assert [(gap.id, gap.title, gap.state) for gap in gaps] == [
        ("KG-1", "First", "not covered"),
        ("KG-2", "", "partly covered"),
    ]


@pytest.mark.parametrize(
    ("reason", "blocked_by", "state", "not_applicable"),
    [
        ("for layout B; this stack has layout A", None, "covered", 1),
        ("it may disturb the stack: --allow disruptive", None, "partly covered", 0),
        ("needs a", "a", "partly covered", 0),
        (None, None, "partly covered", 0),
    ],
)
def test_what_does_not_apply_leaves_no_gap(
    reason: str | None, blocked_by: str | None, state: str, not_applicable: int
) -> None:
    """A check for another layout is not missing; one that was not allowed, or that a failure blocked, is."""
    report = report_of_run(1, {"a": Status.PASS, "b": Status.SKIP})
    first, skipped = report.checks
    skipped = replace(skipped, reason=reason, blocked_by=blocked_by)
    (category,) = compile_integration([replace(report, checks=(first, skipped))], Scope()).categories
    assert (category.state, category.not_judged, category.not_applicable) == (state, 1, not_applicable)


def test_the_figures_of_loads_are_part_of_it() -> None:
    """Those of the newest run, as its own report has them."""
    load = next(loads_of(build_report(pictured()).checks))
    report = compile_integration([build_report(pictured())], Scope())
    figures = next(each for each in report.loads if each.check == load.check.id)
    assert (figures.sent, figures.rate_rps, figures.p95_ms) == (load.requests, load.rate, load.percentile_ms(0.95))
    assert figures.run == report.runs[0].id


def test_nothing_has_run() -> None:
    """Without a run the report names what is missing; its exit code is undecided."""
    report = compile_integration([], Scope(phases=("p",), missing=("p has not run",)))
    assert (report.exit_code, report.readiness.level, report.runs) == (3, "not ready", ())


def test_a_comparison_with_a_baseline_is_part_of_it() -> None:
    """Its regressions are listed."""
    report = compile_integration([build_report(runs.compared())], Scope())
    assert [comparison.baseline for comparison in report.comparisons] == ["main"]
