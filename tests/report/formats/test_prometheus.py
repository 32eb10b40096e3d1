"""Metrics, read back by Prometheus' own parser."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from prometheus_client.parser import text_string_to_metric_families

from tests.report.hostile_text import ANY_TEXT
from tests.report.runs import CASES, Script, at_least
from xnai_validate.model.results.report import RunReport
from xnai_validate.model.results.report_builder import build_report
from xnai_validate.model.results.status import Status
from xnai_validate.report.registry import FORMATS
from xnai_validate.report.view import View


def made(report: RunReport) -> str:
    """Return the report in this format."""
    return FORMATS.get("prometheus").text(report, View())


@pytest.mark.parametrize("case", CASES)
def test_metrics_agree_with_the_report(case: str) -> None:
    """Prometheus' own parser finds one sample a measured check, and counts that add up."""
    report = build_report(CASES[case][1]())
    families = {family.name: family for family in text_string_to_metric_families(made(report))}
    checks = families["xnai_validate_checks"].samples
    assert sum(check.value for check in checks) == len(report.checks)
    assert sum(check.value for check in checks if check.labels["status"] == "fail") == report.summary.fail
    assert families["xnai_validate_run_exit_code"].samples[0].value == report.exit_code
    passed = families["xnai_validate_check_passed"].samples if "xnai_validate_check_passed" in families else []
    assert {sample.labels["check"]: bool(sample.value) for sample in passed} == {
        check.id: check.status.passed for check in report.checks if check.status is not Status.SKIP
    }


@settings(deadline=None, max_examples=100)
@given(ANY_TEXT)
def test_no_text_breaks_the_metrics(text: str) -> None:
    """Names of targets and criteria with any characters in them stay label values."""
    script = Script("x", text, (at_least(text, 1),))
    script.check("a/b:c", "T", Status.FAIL, reason="no", target=text)
    families = list(text_string_to_metric_families(made(build_report(script.events()))))
    assert len(families) == 8
    assert sum(len(family.samples) for family in families) == 3 + 3 + len(Status) + 1 + 1 + 1
