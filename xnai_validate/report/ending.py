"""The last lines of a report: the counts, where it was written, the verdict and what the exit code means."""

from __future__ import annotations

from xnai_validate.model.results.report import RunReport
from xnai_validate.model.results.status import Status
from xnai_validate.model.results.verdict import Exit, with_broken_reporter
from xnai_validate.model.units import format_ms
from xnai_validate.report.page import Page, Style
from xnai_validate.report.view import View
from xnai_validate.report.words import counted, listed

MANY = 4
"""So many failures, each told in some lines, are named again at the end."""

_STOPPED = {
    "deadline": "the deadline was reached before all checks were done",
    "memory": "the host's memory ran out before all checks were done",
    "interrupted": "the run was ended by a signal before all checks were done",
    "killed": "the run ended without a word before all checks were done",
    "fail-fast": "the run ended at its first failure",
}
_STYLES: dict[int, Style] = {Exit.PASSED: "bold green", Exit.UNDECIDED: "bold yellow", Exit.STOPPED: "bold yellow"}


def ending(page: Page, report: RunReport, view: View) -> None:
    """Append the last lines; a run whose reporters broke ends with at least 3."""
    code = with_broken_reporter(report.exit_code) if view.broken else report.exit_code
    page.rule("Result")
    page.blank()
    page.text(_sums(report))
    _names(page, report)
    if view.written:
        page.text(", ".join(view.written), indent=9, lead=("written", "dim"))
    for reason in view.broken:
        page.text(reason, indent=9, lead=("broken", "bold red"))
    word = report.verdict if code == report.exit_code else "undecided"
    page.blank()
    page.text(f"{word.upper()} (exit {code}): {because(report, code)}", style=_STYLES.get(code, "bold red"))


def _names(page: Page, report: RunReport) -> None:
    """Name again what is wrong where it takes more than a screen to tell, for a terminal shows the end of a report."""
    for status, word in ((Status.FAIL, "failed"), (Status.ERROR, "errors")):
        ids = [check.id for check in report.checks if check.status is status]
        if len(ids) >= MANY:
            page.text(listed(ids), indent=9, lead=(word, "bold red"))


def _sums(report: RunReport) -> str:
    s = report.summary
    parts = [f"{s.pass_ + s.flaky + s.warn} passed"]
    for count, word in ((s.flaky, "flaky"), (s.warn, "with a warning")):
        if count:
            parts.append(f"{count} of them {word}")
    parts.append(f"{s.fail} failed")
    parts.append(counted(s.error, "error"))
    parts.append(f"{s.skip} skipped")
    return f"{', '.join(parts)}; {counted(len(report.checks), 'check')} in {format_ms(report.run.elapsed_ms)}"


def because(report: RunReport, code: int) -> str:
    """One clause that says what decided the verdict."""
    s, stopped = report.summary, report.run.stopped
    unmet = sum(one.met is False for one in report.criteria)
    if code == Exit.PASSED and s.skip == len(report.checks):
        return "nothing failed, but nothing was measured either: every check was skipped"
    if code == Exit.PASSED:
        return "nothing failed; skipped checks say why they were skipped" if s.skip else "every check passed"
    if code == Exit.NOT_UNDONE:
        return "a fault may still be in force; undo it with: xnai-validate undo"
    if code in (Exit.STOPPED, Exit.INTERRUPTED) and stopped in _STOPPED:
        return _STOPPED[stopped]
    if code == Exit.UNDECIDED:
        if s.error:
            return f"{counted(s.error, 'check')} could not be measured"
        return _untold(report) or "a reporter broke; nothing failed"
    reasons = [f"{counted(s.fail, 'check')} failed"] if s.fail else []
    worse = report.comparison.count("regression") if report.comparison else 0
    if worse and report.comparison and stopped != "fail-fast":
        unmet -= 1  # it is a criterion, too
        reasons.append(f"{counted(worse, 'figure is', 'figures are')} worse than in {report.comparison.baseline}")
    if unmet and stopped != "fail-fast":
        reasons.append(f"{counted(unmet, 'criterion is', 'criteria are')} not met")
    if not reasons:
        reasons = [_by_wish(report)]
    elif s.error:
        reasons.append(f"{counted(s.error, 'check')} could not be measured")
    if stopped == "fail-fast":
        reasons.append(_STOPPED[stopped])
    return ", ".join(reasons)


def _untold(report: RunReport) -> str | None:
    """What is said where a comparison was asked for and told nothing."""
    if report.comparison is None or report.comparison.told:
        return None
    return f"nothing failed, but no figure could be compared with {report.comparison.baseline}"


def _by_wish(report: RunReport) -> str:
    """Nothing failed, yet the run did: what --fail-on asked for is there."""
    s = report.summary
    found = [(s.flaky, "flaky"), (s.warn, "with a warning"), (s.skip, "skipped"), (s.error, "not measured")]
    return " and ".join(f"{count} {word}" for count, word in found if count) + ", which --fail-on counts as failures"
