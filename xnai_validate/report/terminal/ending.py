"""The last lines of a report: the counts, the files, the verdict and what the exit code means."""

from __future__ import annotations

from xnai_validate.model.results.report import RunReport
from xnai_validate.model.results.verdict import Exit, with_broken_reporter
from xnai_validate.report.causes import cause_counts, has_many_failures
from xnai_validate.report.lists import counted
from xnai_validate.report.terminal.page import Page, Style
from xnai_validate.report.verdict_text import counts_sentence, verdict_reason, verdict_word
from xnai_validate.report.view import View

SHOWN = 20
"""Causes that are named again at the end."""
_INDENT = 9
_STYLES: dict[int, Style] = {Exit.PASSED: "bold green", Exit.UNDECIDED: "bold yellow", Exit.STOPPED: "bold yellow"}


def append_ending(page: Page, report: RunReport, view: View) -> None:
    """Append the last lines; a run with a broken reporter ends with exit code 3 at least."""
    code = with_broken_reporter(report.exit_code) if view.broken else report.exit_code
    page.rule("Result")
    page.blank()
    page.text(counts_sentence(report))
    if has_many_failures(report.checks):  # the details have scrolled off the screen
        label = counted(len(report.causes), "cause")
        for number, cause in enumerate(report.causes[:SHOWN], 1):
            text = f"{number}. {cause.title}: {cause.id}{cause_counts(cause)}"
            page.text(text, indent=max(_INDENT, len(label) + 2), lead=(label if number == 1 else "", "bold red"))
        if len(report.causes) > SHOWN:
            page.text(f"and {len(report.causes) - SHOWN} more", indent=_INDENT)
    if view.written:
        page.text(", ".join(view.written), indent=_INDENT, lead=("written", "dim"))
    for reason in view.broken:
        page.text(reason, indent=_INDENT, lead=("broken", "bold red"))
    word = verdict_word(report.verdict) if code == report.exit_code else "undecided"
    page.blank()
    page.text(f"{word.upper()} (exit {code}): {verdict_reason(report, code)}", style=_STYLES.get(code, "bold red"))
