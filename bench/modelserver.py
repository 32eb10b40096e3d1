"""Loads of streams beside other tools, on one OpenAI-like server that keeps its own record.

Each tool sends the same load (`bench/streamtools.py`) to the same server (`bench/openai_server.py`), one after the
other: on a schedule and by virtual users, steady and while the server stands still 1 s every 5 s. What counts is how
far the figures that it reports are from those of the server's record of just these streams; each is the median of the
repetitions. Then every tenth stream has a defect, and each is to be counted as an error.

The server has a core to itself, where there are two: a tool that the kernel puts on the same core reads only when the
server pauses, up to 3 ms after it wrote. Tools that need more than one core may use all.
"""

from __future__ import annotations

import json
import math
import os
import statistics
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bench.loadtools import Failed
from bench.static import served
from bench.streamtools import HEAVY, Figures, StreamResult, StreamTool, StreamWork, percentiles, stream_tools
from bench.table import Row
from bench.tools import Installed

OURS = "load.sse"
GOAL_PERCENT = 2.0
GOAL_GAP_MS = 2.0
SLACK_MS = 2.0
"""Differences that a busy machine makes: connecting and reading are in the tool's figure, not in the record."""
SHARES = (0.5, 0.95, 0.99)
REPEATED = 3
RATE, USERS = 20, 10
"""Virtual users open their first streams together: with many, the last waits for the server, before its record."""
SECONDS = {"steady": 4, "stall": 9, "mutilate": 8}
"""How long a load lasts; two standstills fit into 9 s."""
Record = dict[str, Any]
Measured = tuple[StreamResult, Record]


def model_server(home: Path, mine: Installed) -> list[Row]:
    """All rows of the group."""
    tools = stream_tools(home, mine)
    rows: list[Row] = []
    for mode in SECONDS:
        with served("bench.openai_server", mode) as process:
            assert process.stdout is not None
            port = int(process.stdout.readline())
            cores = sorted(os.sched_getaffinity(0))
            os.sched_setaffinity(process.pid, cores[:1])
            works = {"open": StreamWork(RATE, 0, SECONDS[mode])}
            if mode != "mutilate":
                works["closed"] = StreamWork(0, USERS, SECONDS[mode])
            for loop, work in works.items():
                for name, tool in tools.items():
                    what = f"{name}, {mode}, {loop}"
                    with _on_cores(cores if name in HEAVY else cores[1:] or cores):
                        measured = _measure(what, tool, port, work, _times(name, mode, loop))
                    rows += _defects(what, measured) if mode == "mutilate" else _rows(what, measured)
    return rows


@contextmanager
def _on_cores(cores: list[int]) -> Iterator[None]:
    """Let what this process starts meanwhile run on these cores only."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cores)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def _times(name: str, mode: str, loop: str) -> int:
    """How often a load is repeated: counts of defects do not vary, and the heavy tools would take an hour."""
    return 1 if mode == "mutilate" or (name in HEAVY and (mode, loop) != ("stall", "open")) else REPEATED


def _measure(what: str, tool: StreamTool | str, port: int, work: StreamWork, times: int) -> list[Measured] | str:
    """The results of a load, each with the server's record of it; or why it could not be measured."""
    if isinstance(tool, str):
        return tool
    measured: list[Measured] = []
    begun_s = time.monotonic()
    try:
        for _ in range(times):
            _record(port)  # what came before is not this tool's
            result = tool(port, work)
            measured.append((result, _record(port)))
    except (Failed, OSError, ValueError, LookupError) as error:
        return str(error) or type(error).__name__
    finally:
        sys.stderr.write(f"{what}: {time.monotonic() - begun_s:.0f} s\n")
    return measured


def _rows(what: str, measured: list[Measured] | str) -> list[Row]:
    """How far a tool is from the record, and what a stream takes of the machine."""
    ours = what.startswith(OURS)
    goal = GOAL_PERCENT if ours else None
    if isinstance(measured, str):
        return [Row(f"{what}: off the server's record", math.nan, "%", goal, measured, broken=ours)]
    rows = [
        _off_row(f"{what}: first token off the record", goal, measured, lambda result: result.first_ms, "first_ms"),
        _off_row(f"{what}: token gaps off the record", goal, measured, lambda result: result.gaps_ms, "gaps_ms"),
    ]
    off_ms, note = _longest_gaps(measured)
    rows.append(Row(f"{what}: longest gap of each stream off", off_ms, "ms", GOAL_GAP_MS if ours else None, note))
    if ours:
        pairs = [(result.longest_ms, record["longest_ms"]) for result, record in measured]
        apart = statistics.median(_apart_ms(list(own), recorded) for own, recorded in pairs)
        rows.append(Row(f"{what}: the same, stream by stream, p95", apart, "ms", GOAL_GAP_MS, "of the differences"))
    counted = [(result.count, len(record["first_ms"])) for result, record in measured]
    missed = max(abs(own - recorded) for own, recorded in counted)
    note = ", ".join(f"{own} of {recorded}" for own, recorded in counted)
    rows.append(Row(f"{what}: whole streams counted wrongly", missed, "", 0 if ours else None, note))
    if ", steady, open" in what:
        cpu_ms = statistics.median(result.cpu_s / max(1, result.count) * 1000 for result, _ in measured)
        rss_mib = statistics.median(result.rss_mib for result, _ in measured)
        rows.append(Row(f"{what}: processor a stream", cpu_ms, "ms", None, "start included"))
        rows.append(Row(f"{what}: memory", rss_mib, "MiB", None, "all of its processes at once"))
    return rows


def _off_row(
    what: str, goal: float | None, measured: list[Measured], reported: Callable[[StreamResult], Figures], name: str
) -> Row:
    """The median over the repetitions of the largest difference of three percentiles, in percent."""
    offs = [_off_percent(reported(result), record[name]) for result, record in measured]
    result, record = measured[_median_at(offs)]
    shown, true = _shown(reported(result)), _shown(percentiles(record[name]))
    note = f"{shown} ms reported, {true} recorded (p50, p95, p99); {result.note}".removesuffix("; ")
    return Row(what, statistics.median(offs), "%", goal, note)


def _longest_gaps(measured: list[Measured]) -> tuple[float, str]:
    """The median over the repetitions of the largest difference of three percentiles of longest gaps, in ms."""
    offs, notes = [], []
    for result, record in measured:
        if result.stream_gaps_ms is None:
            return math.nan, "the tool does not report them"
        true = percentiles(record["longest_ms"])
        offs.append(max(off for off, _ in _distances(result.stream_gaps_ms, record["longest_ms"])))
        notes.append(f"{_shown(result.stream_gaps_ms)} ms reported, {_shown(true)} recorded")
    return statistics.median(offs), notes[_median_at(offs)]


def _apart_ms(own: list[float], recorded: list[float]) -> float:
    """The difference that 95 % of the streams stay within; NaN where other streams were counted than recorded."""
    if len(own) != len(recorded):
        return math.nan
    return percentiles([abs(got - true) for got, true in zip(own, recorded, strict=True)])[1]


def _defects(what: str, measured: list[Measured] | str) -> list[Row]:
    """How many streams with a defect a tool has not counted as errors, or counted though they had none."""
    ours = what.startswith(OURS)
    title = f"{what}: streams with a defect miscounted"
    if isinstance(measured, str):
        return [Row(title, math.nan, "", 0 if ours else None, measured, broken=ours)]
    [(result, record)] = measured
    defects: dict[str, int] = record["defects"]
    listed = ", ".join(f"{kind} {count}" for kind, count in defects.items())
    note = f"{result.errors} errors counted, {sum(defects.values())} recorded ({listed}); {result.note}"
    missed = abs(result.errors - sum(defects.values()))
    return [Row(title, missed, "", 0 if ours else None, note.removesuffix("; "))]


def _record(port: int) -> Record:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/record", timeout=30) as response:
        record: Record = json.loads(response.read())
    return record


def _off_percent(reported: Figures, recorded: list[float]) -> float:
    """The largest distance of three percentiles from those of the record, in percent; up to `SLACK_MS` is none."""
    distances = _distances(reported, recorded)
    return max(off / true * 100 if off > SLACK_MS else 0.0 for off, true in distances)


def _distances(reported: Figures, recorded: list[float]) -> list[tuple[float, float]]:
    """For each of three percentiles: how far it is from the record, and the value there that is nearest to it.

    A percentile of n values lies between two of them, and where is a matter of definition: Hyndman and Fan (1996) list
    nine. Tools differ in it, so each is compared with the nearest that any of these can be.
    """
    values, last = sorted(recorded), len(recorded) - 1
    distances = []
    for got, share in zip(reported, SHARES, strict=True):
        lower, upper = values[math.floor(share * last)], values[min(last, math.ceil(share * len(values)) - 1)]
        nearest = min(max(got, lower), upper)
        distances.append((abs(got - nearest), nearest))
    return distances


def _median_at(values: list[float]) -> int:
    """Where the median of the values stands among them; of an even number, the lower one."""
    return sorted(range(len(values)), key=values.__getitem__)[(len(values) - 1) // 2]


def _shown(figures: Figures) -> str:
    return "/".join(f"{figure:.0f}" for figure in figures)
