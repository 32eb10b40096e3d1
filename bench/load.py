"""The load generator beside others: how fast, how true, and how much memory.

Throughput: closed loops of 20 connections on one static server, in turns; each round gives one ratio, the median of
them counts. Truth: an open load on a server that stands still 1 s every 5 s and keeps its own record
(defined in `bench/loadserver.py`). Memory: 20 000 arrivals a second for a minute.
"""

from __future__ import annotations

import json
import math
import os
import statistics
import subprocess
import time
from pathlib import Path

from bench.loadtools import Failed, LoadResult, Tool, facts_of_run, start, tools
from bench.static import served
from bench.table import Row
from bench.tools import Installed

OURS = "xnai-validate"
CLOSED_S = 2
SLOW_ROUNDS, SLOW_S = 2, 4
"""Rounds of locust, and how long one is: it takes long to start."""
GOALS: dict[str, float | None] = {
    "wrk": 0.9,
    "hey": 3.0,
    "ab": None,
    "locust": 30.0,
    "locust, FastHttpUser": None,
    "xnai-validate without uvloop": None,
}
"""How many times the requests of each other tool ours makes at least."""
RATE = 200.0
EVERY_S, STALL_S, TRUTH_S = 5, 1, 10
FULL_RATE = 20_000
FULL_S = 60
REACHED = 0.98
"""The answers a second until the last one, as a share of the rate: the last come a little after the end."""
SETTLED_S = 10


def load(home: Path, mine: Installed, port: int, rounds: int) -> list[Row]:
    """All rows of the group; `port` is that of the static server."""
    found = tools(home, mine)
    rows = throughput(found, port, min(rounds, 5))
    with served("bench.loadserver") as process:
        server = Server(process)
        rows += truth(found, server)
        server.send_command("plain")
        rows += memory(home, mine, server.port)
    return rows


def throughput(found: dict[str, Tool | str], port: int, rounds: int) -> list[Row]:
    """Requests a second in a closed loop, as ratios of the same round."""
    results: dict[str, list[LoadResult]] = {name: [] for name in found}
    failed = {name: tool for name, tool in found.items() if isinstance(tool, str)}
    for number in range(rounds):
        for name, tool in found.items():
            slow = "locust" in name
            if name in failed or isinstance(tool, str) or (slow and number >= SLOW_ROUNDS):
                continue
            try:
                results[name].append(tool(port, SLOW_S if slow else CLOSED_S, None))
            except Failed as error:
                failed[name] = str(error)
    mine = [result.rps for result in results[OURS]]
    rows = [Row("load.http, closed loop of 20 callers", _median(mine), "a second", None, *_broken(failed.get(OURS)))]
    for name, goal in GOALS.items():
        ratios = [ours / other.rps for ours, other in zip(mine, results[name], strict=False)]
        note = failed.get(name) or f"{name}: {_median([result.rps for result in results[name]]):.0f} a second"
        rows.append(Row(f"load.http / {name}, requests a second", _median(ratios), "x", goal, note, at_least=True))
    return rows + [_cost(name, results[OURS], results[name]) for name in ("wrk", "hey")]


def _cost(name: str, mine: list[LoadResult], other: list[LoadResult]) -> Row:
    """What a request takes of the processor: a figure that a busy machine changes less than the others."""
    ratios = [ours.cpu_us / theirs.cpu_us for ours, theirs in zip(mine, other, strict=False)]
    ours_us, theirs_us = (_median([result.cpu_us for result in results]) for results in (mine, other))
    note = f"{ours_us:.1f} us, {name} {theirs_us:.1f} us"
    return Row(f"load.http / {name}, processor time a request", _median(ratios), "x", None, note)


def truth(found: dict[str, Tool | str], server: Server) -> list[Row]:
    """Latencies while the server stands still, against the server's record."""
    rows: list[Row] = []
    for name in (OURS, "hey", "locust", "ab", "wrk"):
        tool = found[name]
        if isinstance(tool, str):
            rows.append(Row(f"{name}, latency with a server that stalls", math.nan, "x", None, tool))
            continue
        server.send_command(f"stall {EVERY_S} {STALL_S}")
        try:
            result = tool(server.port, TRUTH_S, RATE)
        except Failed as error:
            what = f"{name}, latency with a server that stalls"
            rows.append(Row(what, math.nan, "x", None, str(error), broken=name == OURS))
            continue
        record = json.loads(server.ask(f"report {RATE:g}"))
        rows += _true(result, record["answered"]) if name == OURS else [_shown(name, result, record["users"])]
    return rows


def _true(result: LoadResult, record: list[float]) -> list[Row]:
    """How far our percentiles are from the record of the requests that we sent."""
    rows = []
    for name, ours, share in (("p95", result.p95_ms, 0.95), ("p99", result.p99_ms, 0.99), ("max", result.max_ms, 1.0)):
        theirs = _quantile(record, share)
        note = f"{ours:.1f} ms, the server's record {theirs:.1f} ms; {result.extra}"
        what = f"load.http, {name} off the record of a server that stalls"
        rows.append(Row(what, abs(ours / theirs - 1) * 100, "%", 1.0, note))
    return rows


def _shown(name: str, result: LoadResult, users: list[float]) -> Row:
    """How many times lower another tool's percentile is than what users would have met; ab reports whole ms only."""
    met95, met99 = _quantile(users, 0.95), _quantile(users, 0.99)
    at, shown, met = ("p95", result.p95_ms, met95) if not math.isnan(result.p95_ms) else ("p99", result.p99_ms, met99)
    note = (
        f"{name}: p95 {result.p95_ms:.1f}, p99 {result.p99_ms:.1f}, max {result.max_ms:.0f} ms; users at {RATE:g}/s "
        f"met {met95:.0f}, {met99:.0f}, {_quantile(users, 1.0):.0f}; {result.extra}"
    )
    return Row(f"what users met / what {name} reports, {at}", met / max(shown, 1.0), "x", None, note)


def memory(home: Path, mine: Installed, port: int) -> list[Row]:
    """Resident memory of our process while it generates 20 000 requests a second, from 10 s on."""
    with_ = {"path": "/", "arrivals": {"rate": FULL_RATE}, "for": f"{FULL_S}s", "connections": 64, "stop_at": None}
    process = start(home, mine, "full", port, with_, {})
    begun, sizes = time.monotonic(), []
    while process.poll() is None and time.monotonic() - begun < FULL_S + 5:
        time.sleep(1.0)
        sizes.append((time.monotonic() - begun, _resident_mib(process.pid)))
        if time.monotonic() - begun > FULL_S - 1:
            break
    try:
        facts = facts_of_run(process)
    except Failed as error:
        return [Row("memory at full rate", math.nan, "x", 1.05, *_broken(str(error)))]
    settled = [size for at, size in sizes if at >= SETTLED_S and size]
    reached = facts["completed_count"] / facts["elapsed_ms"] * 1000
    note = (
        f"{facts['not_sent_count']:.0f} not sent, {facts['error_count']:.0f} errors, own lag p99 "
        f"{facts['lag_p99_ms']:.1f} ms, p99 {facts['p99_ms']:.1f} ms, own processor {facts['own_cpu_ratio']:.2f}"
    )
    grown = f"{settled[0]:.1f} MiB after {SETTLED_S} s, at most {max(settled):.1f} MiB until {FULL_S} s"
    return [
        Row(
            f"load.http, {FULL_RATE} arrivals a second for {FULL_S} s",
            reached,
            "a second",
            FULL_RATE * REACHED,
            note,
            at_least=True,
        ),
        Row("memory while it does, largest / after 10 s", max(settled) / settled[0], "x", 1.05, grown),
    ]


def _resident_mib(pid: int) -> float:
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1])
    except (OSError, IndexError):
        return 0.0
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def _median(values: list[float]) -> float:
    return statistics.median(values) if values else math.nan


def _quantile(ordered: list[float], share: float) -> float:
    """By nearest rank."""
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)] if ordered else math.nan


def _broken(why: str | None) -> tuple[str, bool]:
    return why or "", why is not None


class Server:
    """The server that stalls, a process of its own."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self.port = int(self._read())

    def _read(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline()

    def send_command(self, line: str) -> None:
        """Send a command."""
        assert self._process.stdin is not None
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()

    def ask(self, line: str) -> str:
        """Send a command and return its answer."""
        self.send_command(line)
        return self._read()
