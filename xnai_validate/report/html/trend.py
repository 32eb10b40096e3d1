"""The last runs as bars: how each ended, and how long it took."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from xnai_validate.model.units import format_ms
from xnai_validate.report.lists import counted
from xnai_validate.report.view import PastRun

HEIGHT = 48
"""Height of the longest run, in pixels."""
LOWEST = 6
"""Height that every bar has at least."""
_STYLES = {0: "pass", 1: "fail", 4: "fail"}


@dataclass(frozen=True, slots=True)
class RunBar:
    """One run; x and width are percent of the width of the figure, y and height are pixels."""

    x: float
    width: float
    y: float
    height: float
    style: str
    """The class of its colour."""
    label: str


@dataclass(frozen=True, slots=True)
class Trend:
    """The bars of the last runs, the newest at the right, and what they show in words."""

    bars: tuple[RunBar, ...]
    words: str


def trend_of(runs: Sequence[PastRun]) -> Trend | None:
    """Return the trend; None for fewer than two runs, which have none."""
    if len(runs) < 2:
        return None
    longest_ms = max(run.elapsed_ms for run in runs) or 1.0
    step = 100 / len(runs)
    return Trend(tuple(_bar(run, number * step, step, longest_ms) for number, run in enumerate(runs)), _describe(runs))


def _bar(run: PastRun, x: float, step: float, longest_ms: float) -> RunBar:
    """Return the bar of a run, with a gap to the next."""
    height = round(max(LOWEST, HEIGHT * run.elapsed_ms / longest_ms), 1)
    label = f"{_moment(run)}: {run.verdict}, {format_ms(run.elapsed_ms)}"
    return RunBar(
        round(x, 2), round(0.8 * step, 2), round(HEIGHT - height, 1), height, _STYLES.get(run.exit_code, "error"), label
    )


def _describe(runs: Sequence[PastRun]) -> str:
    """Return how many of the runs passed, and since when the newest verdict has not changed."""
    passed = sum(run.exit_code == 0 for run in runs)
    same = runs[-1]
    for run in reversed(runs):
        if run.verdict != same.verdict:
            break
        same = run
    durations = sorted(run.elapsed_ms for run in runs)
    median = format_ms(durations[len(durations) // 2])
    return (
        f"{passed} of the last {counted(len(runs), 'run')} passed; {runs[-1].verdict} since {_moment(same)}; "
        f"a run takes {median} (median)"
    )


def _moment(run: PastRun) -> str:
    """Return when a run started, to the second."""
    return f"{run.started_at[:19].replace('T', ' ')} UTC"
