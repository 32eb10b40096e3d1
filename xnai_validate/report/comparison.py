"""A comparison with a baseline, for people: which figures changed, by how much, and what could not be told."""

from __future__ import annotations

from collections.abc import Mapping

from xnai_validate.model.results.comparison import Change, Compared, Comparison
from xnai_validate.report.page import Page, Span, Style, cells
from xnai_validate.report.words import counted

_STYLES: Mapping[Change, Style] = {
    "regression": "bold red",
    "improvement": "green",
    "cannot tell": "yellow",
    "same": "dim",
}
ENOUGH = 5
"""Runs of a baseline from which on its own scatter says more than what is assumed of it."""
_NUMBERS = 58
"""Columns of a row besides the name of its figure."""
_ORDER: tuple[Change, ...] = ("regression", "cannot tell", "improvement", "same")


def comparison(page: Page, found: Comparison, *, every: bool) -> None:
    """Append the figures as a table, those that are worse first; figures that stayed the same where `every` is set."""
    page.rule(f"Against {found.baseline} ({counted(found.runs, 'run')})")
    page.blank()
    shown = worst_first(found, every=every)
    measured = [one for one in shown if one.ratio is not None]
    if measured:
        roomy = max(cells(name_of(one)) for one in measured) + _NUMBERS <= page.width
        (_table if roomy else _list)(page, measured)
        page.blank()
    _reasons(page, [one for one in shown if one.ratio is None])
    page.text(sums(found), indent=2)
    if found.runs < ENOUGH and any(one.change == "cannot tell" and one.ratio is not None for one in found.figures):
        page.text(f"a baseline of {ENOUGH} runs or more tells smaller changes; --record adds one", indent=2)
    for note in found.notes:
        page.text(note, indent=2, style="dim")


def _table(page: Page, shown: list[Compared]) -> None:
    head: list[Span] = [(name, "dim") for name in ("figure", "before", "now", "change", "likely within", "verdict")]
    rows = [head]
    for one in shown:
        style = _STYLES[one.change]
        numbers: list[Span] = [(number_of(value), "") for value in (one.before, one.after)]
        change: list[Span] = [(change_of(one), style), (interval_of(one), ""), (one.change, style)]
        rows.append([(name_of(one), ""), *numbers, *change])
    page.table(rows, numeric=range(1, 5), indent=2)


def _list(page: Page, shown: list[Compared]) -> None:
    """The same where there is no room for a table: two lines a figure."""
    for one in shown:
        page.text(name_of(one), indent=15, lead=(f"  {one.change}", _STYLES[one.change]))
        page.text(f"{_before_and_now(one)} (likely {interval_of(one)})", indent=15)


def worst_first(found: Comparison, *, every: bool) -> list[Compared]:
    """The figures in the order in which they matter; those that stayed the same where `every` is set."""
    return [one for change in _ORDER for one in found.figures if one.change == change and (every or change != "same")]


def _reasons(page: Page, unmeasured: list[Compared]) -> None:
    """The figures that a side does not have, by the reason."""
    reasons: dict[str, dict[str, list[str]]] = {}
    for one in unmeasured:
        reasons.setdefault(one.reason or "", {}).setdefault(one.check, []).append(one.figure)
    for reason, checks in reasons.items():
        names = ", ".join(f"{check} {' '.join(figures)}" for check, figures in checks.items())
        page.text(names, indent=15, lead=("  cannot tell", _STYLES["cannot tell"]))
        page.text(reason, indent=15, style="dim")
    if reasons:
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
        f"{name_of(one)}: {_before_and_now(one)} (likely {interval_of(one)}; what counts is {one.band:.0%} or more)"
        for one in found.figures
        if one.change == "regression"
    ]


def name_of(one: Compared) -> str:
    """The figure with its check: `performance/load:query p50_ms`."""
    return f"{one.check} {one.figure}"


def _before_and_now(one: Compared) -> str:
    return f"{number_of(one.before)} before, {number_of(one.after)} now, {change_of(one)}"


def number_of(value: float | None) -> str:
    """A value to four digits; empty where there is none."""
    return "" if value is None else f"{value:.4g}"


def change_of(one: Compared) -> str:
    """By how much it changed: `+19.4%`; empty where that is not known."""
    return "" if one.ratio is None else f"{one.ratio - 1:+.1%}"


def interval_of(one: Compared) -> str:
    """Between what the change lies: `+12% to +27%`; empty where that is not known."""
    return "" if one.low is None or one.high is None else f"{one.low - 1:+.0%} to {one.high - 1:+.0%}"
