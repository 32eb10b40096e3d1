"""The table of categories at the top of a report: how many checks of each passed, failed, were skipped."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from xnai_validate.model.results.report import CheckResult
from xnai_validate.model.results.status import Status
from xnai_validate.model.units import format_ms
from xnai_validate.report.terminal.page import Page, Span, Style


@dataclass(frozen=True, slots=True)
class _Column:
    """A column of numbers: how many checks have one of the statuses."""

    title: str
    statuses: frozenset[Status]
    style: Style = ""

    def count(self, checks: Sequence[CheckResult]) -> int:
        """Count the checks with one of the statuses of the column."""
        return sum(check.status in self.statuses for check in checks)


_PASSED = _Column("passed", frozenset({Status.PASS, Status.FLAKY, Status.WARN}))
_OTHERS = (
    _Column("flaky", frozenset({Status.FLAKY}), "yellow"),
    _Column("warned", frozenset({Status.WARN}), "yellow"),
    _Column("failed", frozenset({Status.FAIL}), "bold red"),
    _Column("waived", frozenset({Status.WAIVED}), "yellow"),
    _Column("errors", frozenset({Status.ERROR}), "bold red"),
    _Column("skipped", frozenset({Status.SKIP})),
)


def append_categories(page: Page, checks: Sequence[CheckResult]) -> None:
    """Append a row for each category and one for all; a column only if one of its numbers is not zero."""
    if not checks:
        return
    columns = [_PASSED, *(column for column in _OTHERS if column.count(checks))]
    groups: dict[str, list[CheckResult]] = {}
    for check in checks:
        groups.setdefault(check.category, []).append(check)
    head: list[Span] = [("category", "dim"), *[_dim(column.title) for column in columns], ("slowest", "dim")]
    rows = [head, *([(name, ""), *_row_cells(members, columns)] for name, members in groups.items())]
    if len(groups) > 1:
        rows.append([("total", "bold"), *_row_cells(checks, columns)])
    page.blank()
    without_slowest = [row[:-1] for row in rows]
    for table, gap in ((rows, 3), (without_slowest, 2), (without_slowest, 1)):
        if page.has_room_for(table, indent=2, gap=gap):
            page.table(table, numeric=range(1, len(table[0])), indent=2, gap=gap)
            return
    for name, members in groups.items():
        counts = [f"{column.count(members)} {column.title}" for column in columns if column.count(members)]
        page.text(", ".join(counts), indent=max(map(len, groups)) + 4, lead=(f"  {name}", ""))


def _row_cells(checks: Sequence[CheckResult], columns: Sequence[_Column]) -> list[Span]:
    """Return the cells of a row: the counts, and the duration of the slowest check."""
    slowest = max((check.elapsed_ms for check in checks if check.attempts), default=None)
    counts: list[Span] = [(str(column.count(checks) or ""), column.style) for column in columns]
    return [*counts, _dim("" if slowest is None else format_ms(slowest))]


def _dim(text: str) -> Span:
    """Return a text in dim style."""
    return (text, "dim")
