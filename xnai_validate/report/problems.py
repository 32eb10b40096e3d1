"""What is wrong, for a person who is to mend it: every root cause once, with what it blocked folded under it."""

from __future__ import annotations

from collections.abc import Sequence

from xnai_validate.model.frozen import dataclass
from xnai_validate.model.report import CheckResult, RunReport
from xnai_validate.model.status import Status
from xnai_validate.model.units import format_ms
from xnai_validate.report.page import Page, Span, Style
from xnai_validate.report.words import counted, listed, rest_of_sentence, telling

IN_FULL = 50
"""Problems of one status that are shown in full; of the others only the line that says what is wrong."""
NAMED = 300
"""Problems of one status that are shown at all."""
ALIKE = 3
"""So many checks of one target that got no answer for one reason are told as one, unless every check is asked for."""
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
    blocked = blocked_by_root(report.checks)
    for status, title in (
        (Status.FAIL, "Failed"),
        (Status.ERROR, "Could not be measured"),
        (Status.WARN, "Warnings"),
        (Status.FLAKY, "Flaky"),
    ):
        found = [check for check in report.checks if check.status is status]
        if found:
            page.rule(f"{title}: {len(found)}", STYLES[status])
            _section(page, report, _folded(found, blocked, ALIKE if fold else len(found) + 1))


@dataclass(frozen=True, slots=True)
class _Problem:
    check: CheckResult
    alike: tuple[str, ...]
    """Ids of the checks that are told with it."""
    blocks: tuple[str, ...]
    """Ids of what it, or one of those, blocked."""


def _folded(found: Sequence[CheckResult], blocked: dict[str, list[str]], alike: int) -> list[_Problem]:
    """The problems, those that block the most first: they are what to mend first."""
    ordered = sorted(found, key=lambda check: -len(blocked.get(check.id, ())))
    groups: dict[tuple[object, ...], list[CheckResult]] = {}
    for check in ordered:
        groups.setdefault(_cause(check), []).append(check)
    problems: dict[str, _Problem] = {}
    for group in groups.values():
        parts = [group] if len(group) >= alike else [[check] for check in group]
        for first, *rest in parts:
            blocks = [one for check in (first, *rest) for one in blocked.get(check.id, ())]
            problems[first.id] = _Problem(first, tuple(check.id for check in rest), tuple(blocks))
    return [problems[check.id] for check in ordered if check.id in problems]


def _cause(check: CheckResult) -> tuple[object, ...]:
    """What checks without an answer from one target have in common; for any other check, itself."""
    for finding in telling(check.findings, "expect"):
        if finding.fact == "error" and isinstance(finding.actual, str):
            return (check.target, finding.actual)
    return (check.id,)


def blocked_by_root(checks: Sequence[CheckResult]) -> dict[str, list[str]]:
    """The id of a root cause -> the ids of the checks that were skipped because of it."""
    blocked: dict[str, list[str]] = {}
    for check in checks:
        if check.status is Status.SKIP and check.blocked_by is not None:
            blocked.setdefault(check.blocked_by, []).append(check.id)
    return blocked


def _section(page: Page, report: RunReport, found: Sequence[_Problem]) -> None:
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
    level = "warn" if check.status is Status.WARN else "expect"
    rows: list[list[Span]] = [
        [(one.fact, ""), (rest_of_sentence(one, check.facts), "")] for one in telling(check.findings, level)
    ]
    if not rows:
        page.text(_said(check), indent=MARGIN)
        return
    page.table(rows, indent=MARGIN)


def _said(check: CheckResult) -> str:
    if check.status is Status.FLAKY:
        return f"did not hold at first, held at attempt {check.attempts}"
    return check.reason or "no reason was given"


def _advice(page: Page, problem: _Problem, targets: dict[str, str | None]) -> None:
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
