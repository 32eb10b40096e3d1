"""The counts of a run and the reason of its verdict in words."""

from __future__ import annotations

from xnai_validate.model.results.report import RunReport
from xnai_validate.model.results.verdict import Exit
from xnai_validate.model.units import format_ms
from xnai_validate.report.lists import counted

_STOPPED = {
    "deadline": "the deadline was reached before all checks were done",
    "memory": "the memory guard ended the run before all checks were done; a notice names the limit",
    "interrupted": "a signal ended the run before all checks were done",
    "killed": "the run was killed before all checks were done",
    "fail-fast": "the run stopped at its first failure",
}


def counts_sentence(report: RunReport) -> str:
    """Return `5 passed, 1 of them flaky, 2 failed, 0 errors, 8 skipped; 15 checks in 6.21 s`."""
    s = report.summary
    parts = [f"{s.pass_ + s.flaky + s.warn} passed"]
    for count, word in ((s.flaky, "flaky"), (s.warn, "with a warning")):
        if count:
            parts.append(f"{count} of them {word}")
    parts.append(f"{s.fail} failed")
    if s.waived:
        parts.append(f"{s.waived} waived")
    parts.append(counted(s.error, "error"))
    parts.append(f"{s.skip} skipped")
    return f"{', '.join(parts)}; {counted(len(report.checks), 'check')} in {format_ms(report.run.elapsed_ms)}"


def verdict_word(verdict: str) -> str:
    """Return the verdict as people read it; JSON keeps `not undone`, the name of its first format."""
    return "not reverted" if verdict == "not undone" else verdict


def verdict_reason(report: RunReport, code: int) -> str:
    """Return the clause that explains the verdict.

    Args:
        report: the run.
        code: the exit code of the command, which differs from that of the report if a reporter failed to write.
    """
    summary, stopped = report.summary, report.run.stopped
    if code == Exit.PASSED and summary.skip == len(report.checks):
        return "no check failed, but none was measured: every check was skipped"
    if code == Exit.PASSED:
        return _describe_pass(report)
    if code == Exit.NOT_UNDONE:
        return "a fault may still be in force; revert it with: xnai-validate undo"
    if code in (Exit.STOPPED, Exit.INTERRUPTED) and stopped in _STOPPED:
        return _STOPPED[stopped]
    if code == Exit.UNDECIDED:
        if summary.error:
            return f"{counted(summary.error, 'check')} could not be measured"
        return _no_figure_compared(report) or _all_checks_skipped(report) or "a reporter broke; no check failed"
    reasons = _failures(report)
    if not reasons:
        reasons = [_counted_as_failures(report)]
    elif summary.error:
        reasons.append(f"{counted(summary.error, 'check')} could not be measured")
    if stopped == "fail-fast":
        reasons.append(_STOPPED[stopped])
    return ", ".join(reasons)


def _describe_pass(report: RunReport) -> str:
    """Describe why a run passed."""
    summary = report.summary
    if summary.waived:
        return f"no check failed; {counted(summary.waived, 'failure is', 'failures are')} waived"
    return "no check failed; skipped checks give their reasons" if summary.skip else "every check passed"


def _failures(report: RunReport) -> list[str]:
    """Count what failed: checks, figures worse than the baseline, criteria."""
    reasons = [f"{counted(report.summary.fail, 'check')} failed"] if report.summary.fail else []
    if report.run.stopped == "fail-fast":
        return reasons
    unmet = sum(criterion.met is False for criterion in report.criteria)
    worse = report.comparison.count("regression") if report.comparison else 0
    if worse and report.comparison:
        unmet -= 1  # the regressions are a criterion, too
        reasons.append(f"{counted(worse, 'figure is', 'figures are')} worse than in {report.comparison.baseline}")
    if unmet:
        reasons.append(f"{counted(unmet, 'criterion is', 'criteria are')} not met")
    return reasons


def _no_figure_compared(report: RunReport) -> str | None:
    """The reason if a comparison was requested and no figure could be compared, else None."""
    if report.comparison is None or report.comparison.conclusive:
        return None
    return f"no check failed, but no figure could be compared with {report.comparison.baseline}"


def _all_checks_skipped(report: RunReport) -> str | None:
    """The reason if every check was skipped, else None."""
    if report.summary.skip < len(report.checks):
        return None
    return "every check was skipped, which --fail-if-none (the default where CI=true) does not take for a pass"


def _counted_as_failures(report: RunReport) -> str:
    """The reason if no check failed and --fail-on made the run fail."""
    s = report.summary
    counts = [(s.flaky, "flaky"), (s.warn, "with a warning"), (s.waived, "waived")]
    counts += [(s.skip, "skipped"), (s.error, "not measured")]
    return " and ".join(f"{count} {word}" for count, word in counts if count) + ", which --fail-on counts as failures"
