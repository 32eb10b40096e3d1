"""The table of a benchmark: what was measured, against which goal, and whether it was met."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Row:
    """One goal."""

    what: str
    measured: float
    unit: str
    """`ms`, `MiB`, `us`, `ns`, empty for a number, or `x` for a ratio."""
    goal: float | None
    """The most that is allowed, or the least with `at_least`; None where the figure is only shown."""
    note: str = ""
    broken: bool = False
    """Whether our own command did not run, and so there is no figure."""
    at_least: bool = False

    @property
    def verdict(self) -> str:
        """PASS, miss, `-` where nothing is asked for, `n/a` where it could not be measured."""
        if math.isnan(self.measured):
            return "n/a"
        if self.goal is None:
            return "-"
        met = self.measured >= self.goal if self.at_least else self.measured <= self.goal
        return "PASS" if met else "miss"


def render(rows: list[Row]) -> str:
    """The rows as a Markdown table."""
    cells = [("what", "measured", "goal", "verdict", "note")]
    cells += [
        (
            row.what,
            "-" if math.isnan(row.measured) else _number(row.measured, row.unit),
            "" if row.goal is None else f"{'>=' if row.at_least else '<='} {_number(row.goal, row.unit)}",
            row.verdict,
            row.note,
        )
        for row in rows
    ]
    widths = [max(len(line[column]) for line in cells) for column in range(len(cells[0]))]
    padded = [[text.ljust(width) for text, width in zip(line, widths, strict=True)] for line in cells]
    lines = [f"| {' | '.join(line)} |" for line in padded]
    lines.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return "\n".join(lines)


def _number(value: float, unit: str) -> str:
    digits = 0 if value >= 100 or not unit else 1 if value >= 10 else 2
    return f"{value:.{digits}f}{'' if unit == 'x' else ' '}{unit}".rstrip()
