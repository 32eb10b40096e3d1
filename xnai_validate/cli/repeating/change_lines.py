"""The changes of a run as lines for a terminal: the verdict, what broke, what recovered."""

from __future__ import annotations

from datetime import datetime

from xnai_validate.cli.repeating.changes import Changes, CheckChange
from xnai_validate.model.results.status import Status
from xnai_validate.report.evidence import evidence_lines
from xnai_validate.report.terminal.page import Page, Span
from xnai_validate.report.verdict_text import counts_sentence, verdict_reason, verdict_word
from xnai_validate.report.words import broken_rules, expected_and_got, reason_of

SHOWN = 20
"""Checks of a run that are listed; the rest is counted."""
_INDENT = 13


def append_changes(page: Page, changes: Changes, at: datetime, *, verbose: bool = False) -> None:
    """Append a paragraph about a run; with `verbose`, the evidence of what broke too."""
    report = changes.report
    now = verdict_word(report.verdict).upper()
    before = f", before: {verdict_word(changes.before)}" if changes.before not in (None, report.verdict) else ""
    page.text(
        f"{at:%Y-%m-%d %H:%M:%S} {now} (exit {report.exit_code}{before}): {verdict_reason(report, report.exit_code)}",
        style="bold green" if report.exit_code == 0 else "bold red",
    )
    page.text(counts_sentence(report), indent=2, style="dim")
    for change in changes.checks[:SHOWN]:
        _append_check(page, change, verbose=verbose)
    if len(changes.checks) > SHOWN:
        page.text(f"and {len(changes.checks) - SHOWN} more", indent=_INDENT)


def _append_check(page: Page, change: CheckChange, *, verbose: bool) -> None:
    """Add a changed check to the page, with the rules that do not hold."""
    check = change.check
    page.text(check.id, indent=_INDENT, lead=_status_label(change))
    if check.status is Status.PASS:
        return
    rules = broken_rules(check)
    reason = "; ".join(f"{rule.fact}: {expected_and_got(rule, check.facts)}" for rule in rules) or reason_of(check)
    page.text(reason, indent=_INDENT)
    if change.broke and check.fix:
        page.text(f"fix: {check.fix}", indent=_INDENT)
    if change.broke and verbose:
        for label, text in evidence_lines(check):
            page.text(f"{label}: {text}", indent=_INDENT, style="dim")


def _status_label(change: CheckChange) -> Span:
    """Return the status of a changed check, with its colour."""
    if change.recovered:
        return "  recovered", "green"
    return f"  {change.check.status.value}", "red" if change.broke else "yellow"
