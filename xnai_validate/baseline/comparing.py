"""Comparison of two groups of runs, figure by figure."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from xnai_validate.baseline.figures import Figure, Figures, Missing, band_of
from xnai_validate.baseline.fingerprint import differences
from xnai_validate.baseline.judging import Change, change, holm
from xnai_validate.baseline.record import RecordedRun
from xnai_validate.model.results.comparison import Change as Verdict
from xnai_validate.model.results.comparison import Compared, Comparison

WINDOW_RATIO = 1.05
"""Loads whose windows differ by more than this are different loads."""


@dataclass(frozen=True, slots=True)
class Pair:
    """A figure that both sides have, in one run of each or more."""

    check: str
    figure: str
    before: Sequence[Figure]
    after: Sequence[Figure]


def compare(name: str, before: Sequence[RecordedRun], after: Sequence[RecordedRun]) -> Comparison:
    """Judge every figure that the runs of `before` or `after` have; `name` is what `before` is called."""
    figures = list(_found(before, after))
    verdicts = iter(judge([item for item in figures if isinstance(item, Pair)]))
    return Comparison(
        baseline=name,
        runs=len(before),
        figures=tuple(next(verdicts) if isinstance(item, Pair) else item for item in figures),
        notes=tuple(differences(before[-1].fingerprint, after[-1].fingerprint)),
    )


def judge(pairs: Sequence[Pair]) -> list[Compared]:
    """Return the verdict on each pair; its significance takes into account how many pairs there are.

    A figure is a regression where the increase is significant (Holm over all figures, at most 1 % false alarms in all)
    and at least as large as its band; an improvement where that holds of the decrease; the same where an increase by
    the band is ruled out by its interval. Anything else is not conclusive.
    """
    changes = [change(pair.before, pair.after, band_of(pair.figure)) for pair in pairs]
    worse, better = holm([change.p_worse() for change in changes]), holm([change.p_better() for change in changes])
    return [_verdict_on(*change) for change in zip(pairs, changes, worse, better, strict=True)]


def _found(before: Sequence[RecordedRun], after: Sequence[RecordedRun]) -> Iterator[Pair | Compared]:
    """Every figure that can be judged, and every other one with the reason, in the order of the later run."""
    checks: dict[str, None] = {}
    for run in (*after, *before):
        checks |= dict.fromkeys(check for check, kept in run.checks.items() if kept.comparable)
    for check in checks:
        sides = [[run.checks[check] for run in runs if check in run.checks] for runs in (before, after)]
        lengths = [length for side in sides for run in side if (length := run.window_ms) is not None]
        other = bool(lengths) and max(lengths) > WINDOW_RATIO * min(lengths)
        figures = [[run.figures() for run in side] for side in sides]
        for name in dict.fromkeys(name for side in figures for run in side for name in run):
            if other and not name.endswith("_mib"):
                yield _uncomparable(check, name, "the load does not last as long in all runs")
            else:
                yield pair_of(check, name, *figures)


def pair_of(check: str, name: str, before: Sequence[Figures], after: Sequence[Figures]) -> Pair | Compared:
    """The runs of both sides that have a figure; where a side has none, a verdict with the reason."""
    sides: list[list[Figure]] = []
    for side, side_name in ((before, "the baseline"), (after, "the later run")):
        usable = [figure for figures in side if isinstance(figure := figures.get(name), Figure)]
        if not usable:
            why = [figure.reason for figures in side if isinstance(figure := figures.get(name), Missing)]
            return _uncomparable(check, name, f"{side_name}: {why[-1]}" if why else f"{side_name} does not have it")
        sides.append(usable)
    return Pair(check, name, sides[0], sides[1])


def _mean(figures: Sequence[Figure]) -> float:
    """The geometric mean, to four decimals."""
    return round(math.exp(sum(math.log(figure.value) for figure in figures) / len(figures)), 4)


def _uncomparable(check: str, name: str, reason: str) -> Compared:
    """Return the comparison of a figure that cannot be compared, with the reason."""
    return Compared(check=check, figure=name, band=band_of(name).least, change="cannot tell", reason=reason)


def _verdict_on(pair: Pair, measured: Change, worse: bool, better: bool) -> Compared:
    """Return the verdict on a figure: a significant change counts if it exceeds the band of the figure.

    `worse` and `better`: whether an increase, or a decrease, is significant.
    """
    before, after, ratio = _mean(pair.before), _mean(pair.after), measured.ratio
    band = round(band_of(pair.figure).counts_from(before), 4)
    low, high = measured.interval()
    verdict: Verdict
    reason = None
    if worse and ratio >= 1 + band:
        verdict = "regression"
    elif better and ratio <= 1 / (1 + band):
        verdict = "improvement"
    elif high < 1 + band:
        verdict = "same"
    else:
        verdict = "cannot tell"
        reason = f"anything from {low - 1:+.0%} to {high - 1:+.0%} is possible"
    return Compared(
        check=pair.check, figure=pair.figure, before=before, after=after,
        ratio=round(ratio, 4), low=round(low, 4), high=round(high, 4), band=band, change=verdict, reason=reason,
    )  # fmt: skip
