"""What is wrong, for a person who is to mend it: every root cause once, with what it blocked folded under it."""

from __future__ import annotations

from collections.abc import Sequence

from xnai_validate.model.results.report import CheckResult, RunReport
from xnai_validate.model.results.status import Status
from xnai_validate.model.units import format_ms
from xnai_validate.report.causes import PROBLEMS, Problem, problems_of
from xnai_validate.report.page import Page, Span, Style
from xnai_validate.report.timeline import time_line
from xnai_validate.report.words import counted, listed, rest_of_sentence, said, told_of

IN_FULL = 50
"""Problems of one status that are shown in full; of the others only the line that says what is wrong."""
NAMED = 300
"""Problems of one status that are shown at all."""
MARGIN = 7
"""Columns before the text of a problem: the status stands there."""

STYLES: dict[Status, Style] = {
    Status.PASS: "green",
    Status.FLAKY: "bold yellow",
    Status.WARN: "bold yellow",
    Status.FAIL: "bold red",
    Status.ERROR: "bold red",
    Status.SKIP: "cyan",
}


def problems(page: Page, report: RunReport, *, fold: bool = True) -> None:
    """Failures and errors in full, then warnings and flaky checks, each under its status.

    With `fold`, checks of one target that got no answer for the same reason are told as one.
    """
    for status, title in PROBLEMS:
        found = problems_of(report.checks, status, fold=fold)
        if found:
            count = sum(1 + len(one.alike) for one in found)
            page.rule(f"{title}: {count}", STYLES[status])
            _section(page, report, found)


def _section(page: Page, report: RunReport, found: Sequence[Problem]) -> None:
    for one in found[:IN_FULL]:
        page.blank()
        _headline(page, one.check)
        _evidence(page, one.check)
        _advice(page, one, report.run.targets)
    for one in found[IN_FULL:NAMED]:
        check = one.check
        page.text(f"{check.id}: {check.reason or check.title}", indent=MARGIN, lead=_lead(check.status))
    if len(found) > NAMED:
        page.text(f"and {len(found) - NAMED} more, which the JSON report has", indent=MARGIN, style="dim")


def _lead(status: Status) -> Span:
    return (status.value.upper(), STYLES[status])


def _headline(page: Page, check: CheckResult) -> None:
    page.text(check.title, indent=MARGIN, style="bold", lead=_lead(check.status), right=elapsed(check))
    page.text(check.id, indent=MARGIN, style="cyan")


def elapsed(check: CheckResult) -> str:
    """How long a check took, and how often it was tried; empty where it was not tried."""
    if not check.attempts:
        return ""
    tried = f"attempt {check.attempts}, " if check.attempts > 1 else ""
    return f"{tried}{format_ms(check.elapsed_ms)}"


def _evidence(page: Page, check: CheckResult) -> None:
    """The reason, or better: what was wanted and what was measured, one line a rule."""
    rows: list[list[Span]] = [[(one.fact, ""), (rest_of_sentence(one, check.facts), "")] for one in told_of(check)]
    if not rows:
        page.text(said(check), indent=MARGIN)
        return
    page.table(rows, indent=MARGIN)
    line = time_line(check.facts)
    if line:
        _labelled(page, "steps", line)


def _advice(page: Page, problem: Problem, targets: dict[str, str | None]) -> None:
    check = problem.check
    if check.target:
        url = targets.get(check.target)
        _labelled(page, "on", f"{check.target} {url}" if url else check.target)
    # What could not be measured says itself how to go on; the fix is for a stack that was measured.
    if check.status in (Status.FAIL, Status.WARN) and check.fix:
        _labelled(page, "fix", " ".join(check.fix.split()))
    _labelled(page, "see", f"{check.source.file}:{check.source.line}", "dim")
    for label, ids in (("alike", problem.alike), ("blocks", problem.blocks)):
        if ids:
            _labelled(page, label, f"{listed(ids)} ({counted(len(ids), 'check')})")


def _labelled(page: Page, label: str, text: str, style: Style = "") -> None:
    page.text(text, indent=MARGIN + 8, lead=(" " * MARGIN + label, "dim"), style=style)
