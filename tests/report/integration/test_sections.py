"""What a reader is shown of an integration report, section by section."""

from __future__ import annotations

from dataclasses import replace

from tests.history.reports import report_of_run
from tests.report import runs
from xnai_validate.model.results.report import FaultResult, RunReport
from xnai_validate.model.results.report_builder import build_report
from xnai_validate.model.results.status import Status
from xnai_validate.report.integration.compilation import compile_integration
from xnai_validate.report.integration.models import Scope
from xnai_validate.report.integration.rendering import render_integration
from xnai_validate.report.integration.section import Section
from xnai_validate.report.integration.sections import sections_of
from xnai_validate.report.view import View


def sections(*reports: RunReport) -> dict[str, Section]:
    """Title, without its number -> section."""
    report = compile_integration(reports, Scope())
    return {section.title.partition(":")[0]: section for section in sections_of(report)}


def fault(number: int, target: str, lasted_ms: float, *, proven: bool = True) -> FaultResult:
    """A fault of one kind."""
    at = f"2026-11-30T08:0{number}:00.5Z"
    ends = 1000.0 * number + lasted_ms
    return FaultResult(
        fault="process.pause", target=target, injected_at=at, reverted_at=at, proven=proven,
        injected_ms=1000.0 * number, reverted_ms=ends,
    )  # fmt: skip


def test_the_summary_has_the_verdict_the_causes_and_what_to_do() -> None:
    """The first screen: whether the stack is ready, what is broken by severity, and the remedy of each."""
    summary = sections(build_report(runs.failed()))["Executive summary"]
    assert summary.paragraphs[0].startswith("The stack is not ready for the next phase, for ")
    causes = compile_integration([build_report(runs.failed())], Scope()).causes
    assert summary.items == tuple(
        f"{cause.severity}: {cause.title} ({cause.reason}). To do: {cause.recommendation}" for cause in causes
    )
    healthy = sections(build_report(runs.passed()))["Executive summary"]
    assert healthy.paragraphs == ("The stack is ready for the next phase.", "3 checks: 3 passed.", "Nothing failed.")


def test_faults_are_summed_up_and_those_without_proof_are_named() -> None:
    """Seventy rows of reverted faults would hide the one that may still be in force."""
    report = report_of_run(1, {"a": Status.PASS})
    faults = (fault(1, "llm", 2000), fault(2, "llm", 5100), fault(3, "api", 900, proven=False))
    shown = sections(replace(report, faults=faults))["Faults injected"]
    assert shown.table[1:] == (
        ("process.pause", "api", "1", "900 ms", "reverted, not verified"),
        ("process.pause", "llm", "2", "5.10 s", "reverted, verified"),
    )
    summary = sections(replace(report, faults=(*faults, replace(faults[0], reverted_at=None, proven=False))))
    assert summary["Executive summary"].paragraphs[-1] == (
        "4 faults injected: 1 may still be in force; 1 reverted, not verified; 2 reverted, verified."
    )
    assert shown.items == ("process.pause of api, injected 2026-11-30 08:03:00 UTC: reverted, not verified",)


def test_one_host_is_one_entry() -> None:
    """Four phases on one host are listed under it; runs with the same addresses together."""
    runs_ = [report_of_run(number, {"a": Status.PASS}) for number in (1, 2, 3)]
    url = "http://127.0.0.1:1"
    made = [
        replace(report, run=replace(report.run, host={"name": "vm", "cpus": 2}, targets={"api": target}))
        for report, target in zip(runs_, (url, url, "http://127.0.0.1:2"), strict=True)
    ]
    (entry,) = sections(*made)["Environment"].entries
    assert entry.title == "vm, 2 CPUs"
    assert entry.lines == (
        ("runs", "run-0001, run-0002"),
        ("targets", f"api {url}"),
        ("run", "run-0003"),
        ("targets", "api http://127.0.0.1:2"),
    )


def test_no_line_of_a_narrow_terminal_is_too_long() -> None:
    """A table that does not fit becomes a line for each row, with its figures below; nothing is cut."""
    report = report_of_run(1, {"a": Status.PASS, "b": Status.FAIL, "c": Status.ERROR})
    checks = tuple(replace(check, covers=("KG-7",)) for check in report.checks)
    scope = Scope(gaps={"KG-7": "Dependencies between services that no other check covers"})
    text = render_integration(compile_integration([replace(report, checks=checks)], scope), "terminal", View(width=80))
    assert max(map(len, text.splitlines())) <= 80
    assert "KG-7 Dependencies between services that no other check covers\n" in text
    assert "state failed, checks 3, passed 1, failed 1, unjudged 1" in text
