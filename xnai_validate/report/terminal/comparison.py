"""A comparison with a baseline as a table: which figures changed, by how much, and what could not be compared."""

from __future__ import annotations

from collections.abc import Mapping

from xnai_validate.model.results.comparison import Change, Compared, Comparison
from xnai_validate.report.comparison_text import (
    band_of,
    before_and_now,
    change_of,
    interval_of,
    name_of,
    number_of,
    sums,
    verdict_sums,
    worst_first,
)
from xnai_validate.report.lists import counted, listed
from xnai_validate.report.terminal.page import Page, Span, Style

_STYLES: Mapping[Change, Style] = {
    "regression": "bold red",
    "improvement": "green",
    "cannot tell": "yellow",
    "same": "dim",
}
_LABEL_INDENT = 15
_CHANGE_INDENT = 20
ENOUGH_RUNS = 5
"""From this number of runs on, the scatter of a baseline is estimated from the baseline itself."""


def append_comparison(page: Page, comparison: Comparison, *, every: bool) -> None:
    """Append the figures, the worst first; those that stayed the same only if `every` is set."""
    page.rule(f"Against {comparison.baseline} ({counted(comparison.runs, 'run')})")
    page.blank()
    _verdicts(page, comparison)
    shown = worst_first(comparison, every=every)
    measured = [figure for figure in shown if figure.ratio is not None]
    if measured:
        rows = _figure_rows(measured)
        if page.has_room_for(rows, indent=2, gap=2):
            page.table(rows, numeric=range(1, 6), indent=2)
        else:
            _list(page, measured)
        page.blank()
    _figures_without_value(page, [figure for figure in shown if figure.ratio is None])
    if comparison.checks:
        page.text(verdict_sums(comparison), indent=2)
    page.text(sums(comparison), indent=2)
    unclear = any(figure.change == "cannot tell" and figure.ratio is not None for figure in comparison.figures)
    if comparison.runs < ENOUGH_RUNS and unclear:
        page.text(f"with {ENOUGH_RUNS} runs or more, a baseline shows smaller changes; --record adds one", indent=2)
    for note in comparison.notes:
        page.text(note, indent=2, style="dim")


def _verdicts(page: Page, comparison: Comparison) -> None:
    """Append the checks with another status, and those that only one of two runs has."""
    for verdict in comparison.verdicts:
        style: Style = "bold red" if verdict.is_worse else "green" if verdict.is_better else "yellow"
        change = f"  {verdict.before} -> {verdict.after}"
        page.text(verdict.check, indent=_CHANGE_INDENT, lead=(change, style))
        if verdict.reason and not verdict.after.passed:
            page.text(verdict.reason, indent=_CHANGE_INDENT, style="dim")
    for label, ids in (("new", comparison.new), ("gone", comparison.gone)):
        if ids:
            text = f"{counted(len(ids), 'check')}: {listed(ids)}"
            page.text(text, indent=_CHANGE_INDENT, lead=(f"  {label}", "yellow"))
    if comparison.verdicts or comparison.new or comparison.gone:
        page.blank()


def _figure_rows(figures: list[Compared]) -> list[list[Span]]:
    """Return the rows of the compared figures."""
    names = ("figure", "before", "now", "change", "likely within", "band", "verdict")
    head: list[Span] = [(name, "dim") for name in names]
    rows = [head]
    for figure in figures:
        style = _STYLES[figure.change]
        numbers: list[Span] = [(number_of(value), "") for value in (figure.before, figure.after)]
        change: list[Span] = [(change_of(figure), style), (interval_of(figure), ""), (band_of(figure), "")]
        rows.append([(name_of(figure), ""), *numbers, *change, (figure.change, style)])
    return rows


def _list(page: Page, figures: list[Compared]) -> None:
    """List the figures in two lines each, on a page that is too narrow for the table."""
    for figure in figures:
        page.text(name_of(figure), indent=_LABEL_INDENT, lead=(f"  {figure.change}", _STYLES[figure.change]))
        within = f"likely {interval_of(figure)}, band {band_of(figure)}"
        page.text(f"{before_and_now(figure)} ({within})", indent=_LABEL_INDENT)


def _figures_without_value(page: Page, figures: list[Compared]) -> None:
    """Return the figures that one of the sides does not have, grouped by the reason."""
    reasons: dict[str, dict[str, list[str]]] = {}
    for figure in figures:
        reasons.setdefault(figure.reason or "", {}).setdefault(figure.check, []).append(figure.figure)
    for reason, checks in reasons.items():
        names = ", ".join(f"{check} {' '.join(names)}" for check, names in checks.items())
        page.text(names, indent=_LABEL_INDENT, lead=("  cannot tell", _STYLES["cannot tell"]))
        page.text(reason, indent=_LABEL_INDENT, style="dim")
    if reasons:
        page.blank()
