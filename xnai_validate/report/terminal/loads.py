"""The loads of a run in a table: rate, percentiles, errors, and the shape of the latencies."""

from __future__ import annotations

from xnai_validate.model.results.report import RunReport
from xnai_validate.model.units import format_ms
from xnai_validate.report.loads import Load, loads_of
from xnai_validate.report.terminal.page import Page, Span

BARS = 12
"""Bars of the distribution of latencies."""
_HEADS = ("load", "sent", "rate", "p50", "p95", "p99", "errors", "latencies")


def append_loads(page: Page, report: RunReport) -> None:
    """Append a row for each load that was measured; nothing if the run had none."""
    loads = list(loads_of(report.checks))
    if not loads:
        return
    page.rule(f"Loads: {len(loads)}")
    page.blank()
    rows: list[list[Span]] = [[(head, "dim") for head in _HEADS], *(_row(load, page.unicode) for load in loads)]
    for columns in (len(_HEADS), len(_HEADS) - 1):  # without the bars, and then below one another, on a narrow page
        shown = [row[:columns] for row in rows]
        if page.has_room_for(shown, indent=2, gap=2):
            break
    page.table(shown, numeric=range(1, len(_HEADS) - 1), indent=2)


def _row(load: Load, unicode: bool) -> list[Span]:
    errors = load.error_ratio
    return [
        (load.check.id.partition("/")[2], ""),
        (str(load.requests), ""),
        (f"{load.rate_text}/s" if load.rate_text else "", ""),
        *((_time(load, q), "") for q in (0.5, 0.95, 0.99)),
        ("" if errors is None else f"{100 * errors:.2g} %", "bold red" if errors else ""),
        (load.bars(BARS) if unicode else "", "dim"),
    ]


def _time(load: Load, q: float) -> str:
    ms = load.percentile_ms(q)
    return "" if ms is None else format_ms(ms)
