"""The change of a figure since its baseline, on a scale from half to double."""

from __future__ import annotations

import math
from dataclasses import dataclass

from xnai_validate.model.results.comparison import Compared
from xnai_validate.report.comparison_text import change_of, interval_of, number_of

_STYLES = {"regression": "fail", "improvement": "pass", "same": "skip", "cannot tell": "unknown"}


@dataclass(frozen=True, slots=True)
class ChangeBar:
    """The interval in which a change lies, and the change itself; places are percent of the width, 50 is no change."""

    x: float
    width: float
    point: float
    style: str
    label: str


def change_bar(figure: Compared) -> ChangeBar | None:
    """Return the bar of a figure; None if its change is not known."""
    if figure.ratio is None or figure.ratio <= 0:
        return None
    low = figure.ratio if figure.low is None else figure.low
    high = figure.ratio if figure.high is None else figure.high
    x, end = _place(low), _place(high)
    words = f"{number_of(figure.before)} then, {number_of(figure.after)} now: {change_of(figure)}"
    within = f", likely {interval_of(figure)}" if interval_of(figure) else ""
    width = round(max(end - x, 1.0), 2)
    return ChangeBar(x, width, _place(figure.ratio), _STYLES[figure.change], f"{figure.figure}: {words}{within}")


def _place(ratio: float) -> float:
    """The place of a ratio: half is at 0, the same at 50, double at 100, and what lies beyond at the edge."""
    return round(50 + 50 * max(-1.0, min(math.log2(max(ratio, 1e-9)), 1.0)), 2)
