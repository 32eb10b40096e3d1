"""The last lines of a report: the counts, the files, the verdict and what the exit code means."""

from __future__ import annotations

from xnai_validate.model.results.report import RunReport
from xnai_validate.model.results.status import Status
from xnai_validate.model.results.verdict import Exit, with_broken_reporter
from xnai_validate.report.lists import listed
from xnai_validate.report.terminal.page import Page, Style
from xnai_validate.report.verdict_text import counts_sentence, verdict_reason, verdict_word
from xnai_validate.report.view import View

MANY = 4
"""From this number on, failures are listed again at the end: their details have scrolled off the screen."""
_INDENT = 9
_STYLES: dict[int, Style] = {Exit.PASSED: "bold green", Exit.UNDECIDED: "bold yellow", Exit.STOPPED: "bold yellow"}


def append_ending(page: Page, report: RunReport, view: View) -> None:
    """Append the last lines; a run with a broken reporter ends with exit code 3 at least."""
    code = with_broken_reporter(report.exit_code) if view.broken else report.exit_code
    page.rule("Result")
    page.blank()
    page.text(counts_sentence(report))
    for status, label in ((Status.FAIL, "failed"), (Status.ERROR, "errors")):
        ids = [check.id for check in report.checks if check.status is status]
        if len(ids) >= MANY:
            page.text(listed(ids), indent=_INDENT, lead=(label, "bold red"))
    if view.written:
        page.text(", ".join(view.written), indent=_INDENT, lead=("written", "dim"))
    for reason in view.broken:
        page.text(reason, indent=_INDENT, lead=("broken", "bold red"))
    word = verdict_word(report.verdict) if code == report.exit_code else "undecided"
    page.blank()
    page.text(f"{word.upper()} (exit {code}): {verdict_reason(report, code)}", style=_STYLES.get(code, "bold red"))
