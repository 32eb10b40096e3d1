"""What is wrong, for a person who repairs it: every root cause once, with what it blocked folded under it."""

from __future__ import annotations

from collections.abc import Sequence

from xnai_validate.model.results.report import CheckResult, RunReport
from xnai_validate.model.results.status import Status
from xnai_validate.model.units import format_ms
from xnai_validate.report.causes import PROBLEMS, Problem, cause_counts, has_many_failures, problems_of
from xnai_validate.report.evidence import evidence_of
from xnai_validate.report.lists import counted, listed
from xnai_validate.report.terminal.page import Page, Span, Style
from xnai_validate.report.terminal.timeline import time_line
from xnai_validate.report.words import broken_rules, expected_and_got, places_of, promise_of, reason_of, waiver_of

IN_FULL = 50
"""Problems of one status that are shown in full; of the others only one line."""
LISTED = 300
"""Problems of one status that are shown at all."""
OTHER_FACTS = 5
"""Checks of one cause that show it in other facts and are listed with what was seen."""
MARGIN = 7
"""Columns before the text of a problem, for its status."""
_LABELS = 10
"""Columns for the labels of a problem, with the gap after them; names of facts take as many at least."""

STYLES: dict[Status, Style] = {
    Status.PASS: "green",
    Status.FLAKY: "bold yellow",
    Status.WARN: "bold yellow",
    Status.FAIL: "bold red",
    Status.WAIVED: "yellow",
    Status.ERROR: "bold red",
    Status.SKIP: "cyan",
}


def append_causes(page: Page, report: RunReport) -> None:
    """Append each cause of failures and errors with its reason; nothing if the details fit on a screen anyway."""
    if not has_many_failures(report.checks):
        return
    page.rule(f"Causes: {len(report.causes)}", "bold red")
    page.blank()
    for number, cause in enumerate(report.causes[:IN_FULL], 1):
        page.text(
            f"{number}. {cause.title}{cause_counts(cause)}",
            indent=MARGIN,
            style="bold",
            lead=_status_label(cause.status),
        )
        page.text(cause.id, indent=MARGIN, style="dim")
        if cause.reason:
            page.text(cause.reason, indent=MARGIN)
    if len(report.causes) > IN_FULL:
        page.text(f"and {len(report.causes) - IN_FULL} more", indent=MARGIN, style="dim")


def append_problems(page: Page, report: RunReport, *, fold: bool = True) -> None:
    """Append failures and errors, then warnings and flaky checks, each status under its heading.

    With `fold`, checks of one target that failed for one reason are one problem.
    """
    for status, title in PROBLEMS:
        problems = problems_of(report, status, fold=fold)
        if problems:
            count = sum(problem.count for problem in problems)
            page.rule(f"{title}: {count}", STYLES[status])
            _section(page, report, problems)


def elapsed(check: CheckResult) -> str:
    """Return how long a check took and at which attempt it ended; an empty text if it was not attempted."""
    if not check.attempts:
        return ""
    attempt = f"attempt {check.attempts}, " if check.attempts > 1 else ""
    return f"{attempt}{format_ms(check.elapsed_ms)}"


def _section(page: Page, report: RunReport, problems: Sequence[Problem]) -> None:
    """Add problems: the first ones in full, more as one line each, the rest as a number."""
    alike = {check_id for problem in problems for check_id in problem.alike}
    known = {check.id: check for check in report.checks if check.id in alike}
    for problem in problems[:IN_FULL]:
        page.blank()
        _add_headline(page, problem.check)
        _evidence(page, problem.check)
        _advice(page, problem, report.run.targets)
        _others(page, problem, [known[check_id] for check_id in problem.alike])
    for problem in problems[IN_FULL:LISTED]:
        check = problem.check
        page.text(f"{check.id}: {check.reason or check.title}", indent=MARGIN, lead=_status_label(check.status))
    if len(problems) > LISTED:
        page.text(f"and {len(problems) - LISTED} more, which the JSON report has", indent=MARGIN, style="dim")


def _status_label(status: Status) -> Span:
    """Return the status as the label before a line."""
    return (status.value.upper(), STYLES[status])


def _add_headline(page: Page, check: CheckResult) -> None:
    """Add the title, duration and id of a check to the page."""
    page.text(check.title, indent=MARGIN, style="bold", lead=_status_label(check.status), right=elapsed(check))
    page.text(check.id, indent=MARGIN, style="cyan")


def _evidence(page: Page, check: CheckResult) -> None:
    """Add each rule that does not hold with what was expected and got, the steps, the exchange, and its command."""
    rows: list[list[Span]] = [
        [(finding.fact.ljust(_LABELS - 2), ""), (expected_and_got(finding, check.facts), "")]
        for finding in broken_rules(check)
    ]
    if rows:
        page.table(rows, indent=MARGIN)
        steps = time_line(check.facts)
        if steps:
            _add_labelled(page, "steps", steps)
    else:
        page.text(reason_of(check), indent=MARGIN)
    if (places := places_of(check)) is not None:
        _add_labelled(page, "from", places)
    evidence = evidence_of(check)
    if evidence is not None:
        for label, text in evidence.rows:
            _add_labelled(page, label, text)
        _command(page, evidence.command)


def _command(page: Page, words: Sequence[str]) -> None:
    """The command in lines that a shell reads as one."""
    room = page.width - MARGIN - _LABELS - len(" \\")
    lines = [words[0]]
    for word in words[1:]:
        if len(lines[-1]) + 1 + len(word) <= room:
            lines[-1] += f" {word}"
        else:
            lines[-1] += " \\"
            lines.append(word)
    for number, line in enumerate(lines):
        page.text(line, indent=MARGIN + _LABELS, lead=(" " * MARGIN + "repeat" if number == 0 else "", "dim"))


def _advice(page: Page, problem: Problem, targets: dict[str, str | None]) -> None:
    """Add what helps to repair a problem: its target, promise, waiver, fix and file."""
    check = problem.check
    if check.target:
        url = targets.get(check.target)
        _add_labelled(page, "target", f"{check.target} {url}" if url else check.target)
    promise = promise_of(check)
    if promise:
        _add_labelled(page, *promise)
    if (waiver := waiver_of(check)) is not None:
        _add_labelled(page, "waiver", waiver)
    # The reason of an error already names the remedy; the fix is for a stack that was measured.
    if check.status in (Status.FAIL, Status.WARN) and check.fix:
        _add_labelled(page, "fix", " ".join(check.fix.split()))
    _add_labelled(page, "file", f"{check.source.file}:{check.source.line}", "dim")


def _others(page: Page, problem: Problem, alike: Sequence[CheckResult]) -> None:
    """List the checks that failed for the same reason, those with other facts with what they got, and the blocked."""
    facts = {finding.fact for finding in broken_rules(problem.check)}
    other = [check for check in alike if facts.isdisjoint(finding.fact for finding in broken_rules(check))]
    shown = other[:OTHER_FACTS] if facts else []
    for check in shown:
        _add_labelled(page, "also", f"{check.id}: {reason_of(check)}")
    rest = [check.id for check in alike if check not in shown]
    for label, ids in (("alike", rest), ("blocks", problem.blocks)):
        if ids:
            _add_labelled(page, label, f"{listed(ids)} ({counted(len(ids), 'check')})")


def _add_labelled(page: Page, label: str, text: str, style: Style = "") -> None:
    """Add a text with a label before it to the page."""
    page.text(text, indent=MARGIN + _LABELS, lead=(" " * MARGIN + label, "dim"), style=style)
