"""Loads of streams beside guidellm and aiperf, on one OpenAI-like server that keeps its own record.

Each tool sends the same load (`bench/streamtools.py`) to the same server (`bench/openai_server.py`), one after the
other, steady and while the server stands still 1 s every 5 s. What counts is how far the percentiles that it reports
are from those of the server's record of just these streams.
"""

from __future__ import annotations

import json
import math
import statistics
import urllib.request
from pathlib import Path

from bench.loadtools import Failed
from bench.static import served
from bench.streamtools import Figures, StreamResult, stream_tools
from bench.table import Row
from bench.tools import Installed

OURS = "load.sse"
GOAL_PERCENT = 2.0
SLACK_MS = 2.0
"""Differences that a busy machine makes: connecting and reading are in the tool's figure, not in the record."""


def model_server(home: Path, mine: Installed) -> list[Row]:
    """All rows of the group."""
    tools = stream_tools(home, mine)
    rows: list[Row] = []
    for mode in ("steady", "stall"):
        with served("bench.openai_server", mode) as process:
            assert process.stdout is not None
            port = int(process.stdout.readline())
            for name, tool in tools.items():
                _record(port)  # what came before is not this tool's
                try:
                    result = tool if isinstance(tool, str) else tool(port)
                except (Failed, OSError, ValueError, LookupError) as error:
                    result = str(error) or type(error).__name__
                rows += _rows(name, mode, result, _record(port))
    return rows


def _rows(name: str, mode: str, result: StreamResult | str, record: dict[str, list[float]]) -> list[Row]:
    goal = GOAL_PERCENT if name == OURS else None
    what = f"{name}, {'standing still 1 s every 5 s' if mode == 'stall' else 'steady'}"
    if isinstance(result, str):
        return [Row(f"{what}: off the server's record", math.nan, "%", goal, result, broken=name == OURS)]
    rows = []
    pairs = [("first token", result.first_ms, record["first_ms"]), ("token gaps", result.gaps_ms, record["gaps_ms"])]
    if result.stream_gaps_ms is not None:
        pairs.append(("longest gap of each stream", result.stream_gaps_ms, record["longest_ms"]))
    for title, reported, recorded in pairs:
        true = _percentiles(recorded)
        note = f"{_shown(reported)} ms reported, {_shown(true)} recorded (p50, p95, p99), {result.count} streams"
        if result.lag_ms is not None:
            note += f", own lag p99 {result.lag_ms:.1f} ms"
        rows.append(Row(f"{what}: {title} off the record", _off_percent(reported, true), "%", goal, note))
    rows.append(Row(f"{what}: processor a stream", result.cpu_s / result.count * 1000, "ms", None, "start included"))
    rows.append(Row(f"{what}: memory", result.rss_mib, "MiB", None, "all of its processes at once"))
    return rows


def _record(port: int) -> dict[str, list[float]]:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/record", timeout=30) as response:
        record: dict[str, list[float]] = json.loads(response.read())
    return record


def _percentiles(values: list[float]) -> Figures:
    if len(values) < 2:
        return math.nan, math.nan, math.nan
    cuts = statistics.quantiles(values, n=100, method="inclusive")
    return cuts[49], cuts[94], cuts[98]


def _off_percent(reported: Figures, recorded: Figures) -> float:
    """The largest difference of three percentiles, in percent; one of less than `SLACK_MS` is none."""
    pairs = zip(reported, recorded, strict=True)
    return max(abs(got - true) / true * 100 if abs(got - true) > SLACK_MS else 0.0 for got, true in pairs)


def _shown(figures: Figures) -> str:
    return "/".join(f"{figure:.0f}" for figure in figures)
