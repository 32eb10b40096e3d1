"""A comparison with a baseline, for people: which figures changed, by how much, and what could not be told."""

from __future__ import annotations

from collections.abc import Mapping

from xnai_validate.model.comparison import Change, Compared, Comparison
from xnai_validate.report.page import Page, Span, Style
from xnai_validate.report.words import counted

_STYLES: Mapping[Change, Style] = {
    "regression": "bold red",
    "improvement": "green",
    "cannot tell": "yellow",
    "same": "dim",
}
ENOUGH = 5
"""Runs of a baseline from which on its own scatter says more than what is assumed of it."""
_ORDER: tuple[Change, ...] = ("regression", "cannot tell", "improvement", "same")


def comparison(page: Page, found: Comparison, *, every: bool) -> None:
    """Append the figures as a table, those that are worse first; figures that stayed the same where `every` is set."""
    page.rule(f"Against {found.baseline} ({counted(found.runs, 'run')})")
    page.blank()
    head: list[Span] = [(name, "dim") for name in ("figure", "before", "now", "change", "likely within", "verdict")]
    rows = [head]
    shown = [one for change in _ORDER for one in found.figures if one.change == change and (every or change != "same")]
    for one in shown:
        style = _STYLES[one.change]
        values = [one.before, one.after]
        numbers: list[Span] = [("" if value is None else f"{value:.4g}", "") for value in values]
        rows.append([(name_of(one), ""), *numbers, (_change(one), style), (_interval(one), ""), (one.change, style)])
    if shown:
        page.table(rows, numeric=range(1, 5), indent=2)
        _reasons(page, shown)
    page.text(sums(found), indent=2)
    if found.runs < ENOUGH and any(one.change == "cannot tell" and one.ratio is not None for one in found.figures):
        page.text(f"a baseline of {ENOUGH} runs or more tells smaller changes; --record adds one", indent=2)
    for note in found.notes:
        page.text(note, indent=2, style="dim")


def _reasons(page: Page, shown: list[Compared]) -> None:
    """Why nothing can be told of figures that have no interval that would say it."""
    reasons: dict[str, list[str]] = {}
    for one in shown:
        if one.reason is not None and one.ratio is None:
            reasons.setdefault(one.reason, []).append(name_of(one))
    for reason, names in reasons.items():
        page.text(f"cannot tell of {', '.join(names)}: {reason}", indent=2, style="dim")
    page.blank()


def sums(found: Comparison) -> str:
    """The counts in a sentence: `8 figures: 1 regression, 6 the same, 1 cannot be told`."""
    words: dict[Change, str] = {"same": "the same", "cannot tell": "cannot be told"}
    counts = [(found.count(change), change) for change in _ORDER]
    parts = [
        f"{count} {words[change]}" if change in words else counted(count, change) for count, change in counts if count
    ]
    return f"{counted(len(found.figures), 'figure')}: {', '.join(parts)}" if parts else "no figure could be compared"


def regressions(found: Comparison) -> list[str]:
    """Every regression in a sentence."""
    return [
        f"{name_of(one)}: {one.before:.4g} before, {one.after:.4g} now, {_change(one)} (likely {_interval(one)}; "
        f"what counts is {one.band:.0%} or more)"
        for one in found.figures
        if one.change == "regression"
    ]


def name_of(one: Compared) -> str:
    """The figure with its check: `performance/load:query p50_ms`."""
    return f"{one.check} {one.figure}"


def _change(one: Compared) -> str:
    return "" if one.ratio is None else f"{one.ratio - 1:+.1%}"


def _interval(one: Compared) -> str:
    return "" if one.low is None or one.high is None else f"{one.low - 1:+.0%} to {one.high - 1:+.0%}"
