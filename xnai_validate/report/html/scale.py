"""A scale of time across the width of a figure: places in percent, so that a figure fits any page, and its marks."""

from __future__ import annotations

from dataclasses import dataclass

_STEPS_MS = (
    1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 20_000, 30_000, 60_000, 120_000, 300_000, 600_000,
    1_800_000, 3_600_000, 7_200_000, 21_600_000, 86_400_000,
)  # fmt: skip
"""Distances between marks that people count in."""
MARKS = 5
"""The most marks on a scale, besides that of its beginning."""
THINNEST = 0.15
"""Percent of the width that a bar has at least."""


@dataclass(frozen=True, slots=True)
class Bar:
    """A stretch of time; places are percent of the width."""

    x: float
    width: float
    style: str
    """The class of its colour."""
    label: str
    """What it is, in words."""
    lane: int = 0
    """The number of its line, from the top."""


@dataclass(frozen=True, slots=True)
class Scale:
    """From 0 to `end_ms`, in milliseconds."""

    end_ms: float

    def place(self, ms: float) -> float:
        """Return the place of a time as percent of the width, from 0 to 100."""
        return round(100 * min(max(ms / self.end_ms, 0.0), 1.0), 3) if self.end_ms > 0 else 0.0

    def bar(self, from_ms: float, to_ms: float, style: str, label: str, lane: int = 0) -> Bar:
        """Return the bar of a stretch of time, wide enough to be visible."""
        x = min(self.place(from_ms), 100 - THINNEST)
        return Bar(x, round(max(self.place(to_ms) - x, THINNEST), 3), style, label, lane)

    @property
    def marks(self) -> list[tuple[float, str]]:
        """The places of round times and their texts, the beginning included: `(0, "0")`, `(26.1, "1 min")`."""
        step = next((step for step in _STEPS_MS if self.end_ms / step <= MARKS + 0.5), _STEPS_MS[-1])
        count = min(int(self.end_ms / step), MARKS + 1)
        times = [step * number for number in range(1, count + 1)]
        return [(0.0, "0"), *((self.place(ms), _format_mark(ms, step)) for ms in times)]


def _format_mark(ms: int, step: int) -> str:
    """Format a mark of the scale in the unit of its step."""
    for unit, size in (("h", 3_600_000), ("min", 60_000), ("s", 1_000)):
        if step >= size:
            return f"{ms / size:g} {unit}"
    return f"{ms} ms"
