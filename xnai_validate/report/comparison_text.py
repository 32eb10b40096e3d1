"""The figures of a comparison with a baseline in words and numbers."""

from __future__ import annotations

from xnai_validate.model.results.comparison import Change, Compared, Comparison
from xnai_validate.report.lists import counted

_ORDER: tuple[Change, ...] = ("regression", "cannot tell", "improvement", "same")


def worst_first(comparison: Comparison, *, every: bool) -> list[Compared]:
    """Return the figures in the order in which they matter; those that stayed the same only if `every` is set."""
    return [
        figure
        for change in _ORDER
        for figure in comparison.figures
        if figure.change == change and (every or change != "same")
    ]


def sums(comparison: Comparison) -> str:
    """Return the counts as a sentence: `8 figures: 1 regression, 6 within the band, 1 cannot be compared`."""
    unclear = [figure for figure in comparison.figures if figure.change == "cannot tell"]
    uncertain = sum(figure.ratio is not None for figure in unclear)
    counts = (
        (comparison.count("regression"), counted(comparison.count("regression"), "regression")),
        (uncertain, f"{uncertain} uncertain"),
        (len(unclear) - uncertain, f"{len(unclear) - uncertain} cannot be compared"),
        (comparison.count("improvement"), counted(comparison.count("improvement"), "improvement")),
        (comparison.count("same"), f"{comparison.count('same')} within the band"),
    )
    parts = [text for count, text in counts if count]
    if not parts:
        return "no figure could be compared"
    return f"{counted(len(comparison.figures), 'figure')}: {', '.join(parts)}"


def verdict_sums(comparison: Comparison) -> str:
    """Return how many checks two runs share, and how many have another verdict; empty for a baseline."""
    if not comparison.checks:
        return ""
    changed = len(comparison.verdicts)
    result = f"{counted(changed, 'verdict')} changed" if changed else "all verdicts are equal"
    return f"{counted(comparison.checks, 'check')} in both runs: {result}"


def regressions(comparison: Comparison) -> list[str]:
    """Return a sentence for every regression."""
    return [
        f"{name_of(figure)}: {before_and_now(figure)} "
        f"(likely {interval_of(figure)}; a change counts from {band_of(figure)})"
        for figure in comparison.figures
        if figure.change == "regression"
    ]


def name_of(figure: Compared) -> str:
    """Return the figure with its check: `performance/load:query p50_ms`."""
    return f"{figure.check} {figure.figure}"


def before_and_now(figure: Compared) -> str:
    """Return `68.2 before, 81.4 now, +19.4%`."""
    return f"{number_of(figure.before)} before, {number_of(figure.after)} now, {change_of(figure)}"


def number_of(value: float | None) -> str:
    """Return a value with four digits; an empty text for None."""
    return "" if value is None else f"{value:.4g}"


def change_of(figure: Compared) -> str:
    """Return the relative change, `+19.4%`; an empty text if it is unknown."""
    return "" if figure.ratio is None else f"{figure.ratio - 1:+.1%}"


def band_of(figure: Compared) -> str:
    """Return the smallest change that counts: `10%`."""
    return f"{figure.band:.0%}"


def interval_of(figure: Compared) -> str:
    """Return the confidence interval of the change, `+12% to +27%`; an empty text if it is unknown."""
    if figure.low is None or figure.high is None:
        return ""
    return f"{figure.low - 1:+.0%} to {figure.high - 1:+.0%}"
