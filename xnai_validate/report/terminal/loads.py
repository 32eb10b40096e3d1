"""The loads of a run in tables: rate, percentiles, errors, the shape of the latencies, and what streams delivered."""

from __future__ import annotations

from xnai_validate.model.results.report import CheckResult, RunReport
from xnai_validate.model.units import format_ms
from xnai_validate.report.loads import (
    STREAM_QUANTILES,
    Load,
    Search,
    Streams,
    figure_text,
    loads_of,
    percent_text,
    searches_of,
    streams_of,
)
from xnai_validate.report.terminal.page import Page, Span

BARS = 12
"""Bars of the distribution of latencies."""
_HEADS = ("load", "sent", "rate", "p50", "p95", "p99", "errors")
_GOOD, _BARS = "good", "latencies"


def append_loads(page: Page, report: RunReport) -> None:
    """Append tables of the load searches, the loads and their streams; each is left out if the run had none."""
    _append_searches(page, list(searches_of(report.checks)))
    _append_rates(page, list(loads_of(report.checks)))
    _append_streams(page, list(streams_of(report.checks)))


def _append_rates(page: Page, loads: list[Load]) -> None:
    """Append a row for each load."""
    if not loads:
        return
    with_good = any(load.good_ratio is not None for load in loads)
    heads = (*_HEADS, *((_GOOD,) if with_good else ()), _BARS)
    page.rule(f"Loads: {len(loads)}")
    page.blank()
    rows: list[list[Span]] = [[(head, "dim") for head in heads]]
    rows += [_load_row(load, page.unicode, with_good) for load in loads]
    # A page that is too narrow gets no bars; if it still is, `table` puts the last cell of each row below the others.
    for columns in (len(heads), len(heads) - 1):
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
        rows.append([(_short_name(search.check), ""), (holds, "bold"), (breaks, ""), (search.breaks_by, "dim")])
    page.table(rows, numeric=(1, 2), indent=2)
    page.blank()


def _append_streams(page: Page, loads: list[Streams]) -> None:
    """Append for each load of streams how long its readers waited, what each got a second, and how many there were."""
    if not loads:
        return
    page.rule(f"Streams: {len(loads)}")
    page.blank()
    names = [_short_name(load.check) for load in loads]
    tables = [_stream_rows(load, name) for load, name in zip(loads, names, strict=True)]
    first = max(len(row[0][0]) for rows in tables for row in rows)
    others = max(len(text) for rows in tables for row in rows for text, _ in row[1:])
    for load, rows in zip(loads, tables, strict=True):
        aligned = [[(row[0][0].ljust(first), row[0][1]), *((text.rjust(others), style) for text, style in row[1:])]
                   for row in rows]  # fmt: skip
        for columns in range(1 + len(STREAM_QUANTILES), 2, -1):  # the maximum, then p99 are left out on a narrow page
            shown = [row[:columns] for row in aligned]
            if page.has_room_for(shown, indent=2, gap=2):
                break
        page.table(shown, numeric=range(1, columns), indent=2)
        for sentence in load.sentences:
            page.text(sentence, indent=4)
        page.blank()


def _stream_rows(load: Streams, name: str) -> list[list[Span]]:
    """Return the rows of a load of streams, its name in the first."""
    rows: list[list[Span]] = [[(name, "bold"), *((quantile, "dim") for quantile in STREAM_QUANTILES)]]
    for wait in load.waits:
        cells: list[Span] = [("" if ms is None else format_ms(ms), "") for ms in wait.percentiles_ms]
        rows.append([(f"  {wait.name}", ""), *cells])
    return rows


def _short_name(check: CheckResult) -> str:
    """Return the id of a check without its category."""
    return check.id.partition("/")[2]


def _load_row(load: Load, unicode: bool, with_good: bool) -> list[Span]:
    """Return the row of a load; `with_good`: the table has a column for the ratio of good requests."""
    errors, good = load.error_ratio, load.good_ratio
    goods: list[Span] = [("" if good is None else percent_text(good), "")] if with_good else []
    return [
        (_short_name(load.check), ""),
        (str(load.requests), ""),
        (f"{load.rate_text}/s" if load.rate_text else "", ""),
        *((_format_percentile(load, q), "") for q in (0.5, 0.95, 0.99)),
        ("" if errors is None else percent_text(errors), "bold red" if errors else ""),
        *goods,
        (load.bars(BARS) if unicode else "", "dim"),
    ]


def _format_percentile(load: Load, q: float) -> str:
    """Format a percentile of the latency."""
    ms = load.percentile_ms(q)
    return "" if ms is None else format_ms(ms)
