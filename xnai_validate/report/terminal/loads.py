"""The loads of a run in a table: rate, percentiles, errors, and the shape of the latencies."""

from __future__ import annotations

from xnai_validate.model.results.report import RunReport
from xnai_validate.model.units import format_ms
from xnai_validate.report.loads import Load, Search, figure_text, loads_of, searches_of
from xnai_validate.report.terminal.page import Page, Span

BARS = 12
"""Bars of the distribution of latencies."""
_HEADS = ("load", "sent", "rate", "p50", "p95", "p99", "errors")
_GOOD, _BARS = "good", "latencies"


def append_loads(page: Page, report: RunReport) -> None:
    """Append a table of the load searches, then a table of the loads; each is left out if the run had none."""
    _append_searches(page, list(searches_of(report.checks)))
    loads = list(loads_of(report.checks))
    if not loads:
        return
    with_good = any(load.good_ratio is not None for load in loads)
    heads = (*_HEADS, *((_GOOD,) if with_good else ()), _BARS)
    page.rule(f"Loads: {len(loads)}")
    page.blank()
    rows: list[list[Span]] = [[(head, "dim") for head in heads]]
    rows += [_load_row(load, page.unicode, with_good) for load in loads]
    for columns in (len(heads), len(heads) - 1):  # without the bars, and then below one another, on a narrow page
        shown = [row[:columns] for row in rows]
        if page.has_room_for(shown, indent=2, gap=2):
            break
    page.table(shown, numeric=range(1, len(heads) - 1), indent=2)


def _append_searches(page: Page, searches: list[Search]) -> None:
    """Append a row for each search of the most load that holds."""
    if not searches:
        return
    page.rule(f"Most load that holds: {len(searches)}")
    page.blank()
    rows: list[list[Span]] = [[(head, "dim") for head in ("search", "holds", "breaks at", "by")]]
    for search in searches:
        holds = "not known" if search.highest is None else f"{figure_text(search.highest)}{search.unit}"
        breaks = "" if search.breaks_at is None else figure_text(search.breaks_at)
        rows.append([(search.check.id.partition("/")[2], ""), (holds, "bold"), (breaks, ""), (search.breaks_by, "dim")])
    page.table(rows, numeric=(1, 2), indent=2)
    page.blank()


def _load_row(load: Load, unicode: bool, with_good: bool) -> list[Span]:
    """Return the row of a load."""
    errors, good = load.error_ratio, load.good_ratio
    goods: list[Span] = [("" if good is None else f"{100 * good:.3g} %", "")] if with_good else []
    return [
        (load.check.id.partition("/")[2], ""),
        (str(load.requests), ""),
        (f"{load.rate_text}/s" if load.rate_text else "", ""),
        *((_format_percentile(load, q), "") for q in (0.5, 0.95, 0.99)),
        ("" if errors is None else f"{100 * errors:.2g} %", "bold red" if errors else ""),
        *goods,
        (load.bars(BARS) if unicode else "", "dim"),
    ]


def _format_percentile(load: Load, q: float) -> str:
    """Format a percentile of the latency."""
    ms = load.percentile_ms(q)
    return "" if ms is None else format_ms(ms)
