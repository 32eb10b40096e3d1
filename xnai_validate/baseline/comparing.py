"""Two groups of runs held against each other, figure by figure."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from xnai_validate.baseline.figures import Figure, Figures, Missing, band_of
from xnai_validate.baseline.fingerprint import differences
from xnai_validate.baseline.judging import Change, change, holm
from xnai_validate.baseline.record import RecordedRun
from xnai_validate.model.comparison import Change as Verdict
from xnai_validate.model.comparison import Compared, Comparison

WINDOW_RATIO = 1.05
"""Loads whose windows differ by more than this are different loads."""


@dataclass(frozen=True, slots=True)
class _Measured:
    """A figure that both sides have."""

    check: str
    figure: str
    before: float
    after: float
    change: Change


def compare(name: str, before: Sequence[RecordedRun], after: Sequence[RecordedRun]) -> Comparison:
    """Judge every figure that the runs of `before` or `after` have; `name` is what `before` is called.

    A figure is a regression where the increase is significant (Holm over all figures, at most 1 % false alarms in all)
    and at least as large as its band; an improvement where that holds of the decrease; the same where an increase by
    the band is ruled out by its interval. Anything else cannot be told.
    """
    found = list(_found(before, after))
    measured = [one for one in found if isinstance(one, _Measured)]
    worse = holm([one.change.p_worse() for one in measured])
    better = holm([one.change.p_better() for one in measured])
    verdicts = iter([_judged(*one) for one in zip(measured, worse, better, strict=True)])
    return Comparison(
        baseline=name,
        runs=len(before),
        figures=tuple(next(verdicts) if isinstance(one, _Measured) else one for one in found),
        notes=tuple(differences(before[-1].fingerprint, after[-1].fingerprint)),
    )


def _found(before: Sequence[RecordedRun], after: Sequence[RecordedRun]) -> Iterator[_Measured | Compared]:
    """Every figure that can be judged, and every other one with the reason, in the order of the later run."""
    checks: dict[str, None] = {}
    for run in (*after, *before):
        checks |= dict.fromkeys(check for check, kept in run.checks.items() if kept.comparable)
    for check in checks:
        sides = [[run.checks[check] for run in runs if check in run.checks] for runs in (before, after)]
        lengths = [length for side in sides for one in side if (length := one.window_ms) is not None]
        other = bool(lengths) and max(lengths) > WINDOW_RATIO * min(lengths)
        figures = [[one.figures() for one in side] for side in sides]
        for name in dict.fromkeys(name for side in figures for one in side for name in one):
            if other and not name.endswith("_mib"):
                yield _missing(check, name, "the load does not last as long in all runs")
            else:
                yield _one(check, name, *figures)


def _one(check: str, name: str, before: Sequence[Figures], after: Sequence[Figures]) -> _Measured | Compared:
    sides: list[list[Figure]] = []
    for side, said in ((before, "the baseline"), (after, "the later run")):
        usable = [one for figures in side if isinstance(one := figures.get(name), Figure)]
        if not usable:
            why = [one.reason for figures in side if isinstance(one := figures.get(name), Missing)]
            return _missing(check, name, f"{said}: {why[-1]}" if why else f"{said} does not have it")
        sides.append(usable)
    return _Measured(check, name, _mean(sides[0]), _mean(sides[1]), change(sides[0], sides[1], band_of(name)))


def _mean(figures: Sequence[Figure]) -> float:
    return math.exp(sum(math.log(one.value) for one in figures) / len(figures))


def _missing(check: str, name: str, reason: str) -> Compared:
    return Compared(check=check, figure=name, band=band_of(name).least, change="cannot tell", reason=reason)


def _judged(one: _Measured, worse: bool, better: bool) -> Compared:
    band, ratio = band_of(one.figure).least, one.change.ratio
    low, high = one.change.interval()
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
        check=one.check, figure=one.figure, before=round(one.before, 4), after=round(one.after, 4),
        ratio=round(ratio, 4), low=round(low, 4), high=round(high, 4), band=band, change=verdict, reason=reason,
    )  # fmt: skip
