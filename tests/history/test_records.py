"""What is kept of a run."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.history.reports import report_of_run
from xnai_validate.history.records import main_figure, run_record
from xnai_validate.model.json import JsonValue
from xnai_validate.model.judging.findings import Finding
from xnai_validate.model.results.status import Status


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ({"status": 200, "total_ms": 3.0, "p50_ms": 1.0}, ("p50_ms", 1.0)),
        ({"rss_mib": 40, "size_bytes": 3}, ("rss_mib", 40.0)),
        ({"p99_ms": None, "error_ratio": 0.0}, ("error_ratio", 0.0)),
        ({"status": 200}, ("elapsed_ms", 11.0)),
        ({"cached_ms": True}, ("elapsed_ms", 11.0)),
        ({"json $.total_ms": 10**400}, ("elapsed_ms", 11.0)),
    ],
)
def test_the_main_figure(facts: dict[str, JsonValue], expected: tuple[str, float]) -> None:
    """A latency before other quantities, the duration of the check where no quantity is judged."""
    (check,) = report_of_run(1, {"api/a:up": Status.PASS}).checks
    findings = tuple(
        Finding(fact=fact, rule="max", expected=1, actual=actual, held=True, level="expect")
        for fact, actual in facts.items()
    )
    assert main_figure(replace(check, findings=findings)) == expected


def test_what_was_not_measured_has_no_figure() -> None:
    """A skipped check has no duration that could be compared."""
    (check,) = report_of_run(1, {"api/a:up": Status.SKIP}).checks
    assert main_figure(check) == (None, None)


def test_a_run_that_goes_on_has_no_verdict_yet() -> None:
    """Its verdict is `running`, not the `interrupted` of a journal without an end."""
    report = report_of_run(1, {"api/a:up": Status.PASS}, ended=False)
    assert (run_record(report).verdict, run_record(report).stopped) == ("interrupted", "killed")
    assert (run_record(report, running=True).verdict, run_record(report, running=True).stopped) == ("running", None)
