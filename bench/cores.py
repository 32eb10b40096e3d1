"""What two cores give: loads divided over processes beside one process, locust's distributed mode, and threads of wrk.

Closed loops of 20 connections on one static server, in turns. The server takes a core of its own: on two cores, the
ratios show what is left beside it.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable
from pathlib import Path

from bench.loadtools import LOCUST, Failed, locust_run, ours, wrk
from bench.table import Row
from bench.tools import Installed, other_tool

ROUNDS, SECONDS = 3, 4
OURS, DIVIDED = "load.http", "load.http --workers local:2"
LOCUST_1, LOCUST_2 = "locust", "locust --processes 2"
WRK_1, WRK_2 = "wrk -t1", "wrk -t2"


def cores(home: Path, mine: Installed, port: int) -> list[Row]:
    """All rows of the group; `port` is that of the static server."""
    locust = other_tool("locust", LOCUST)
    tools: dict[str, Callable[[], float]] = {
        OURS: lambda: ours(home, mine, port, SECONDS, None).rps,
        DIVIDED: lambda: ours(home, mine, port, SECONDS, None, options=("--workers", "local:2")).rps,
        WRK_1: lambda: wrk(port, SECONDS, None).rps,
        WRK_2: lambda: wrk(port, SECONDS, None, threads=2).rps,
    }
    if locust is not None:
        tools[LOCUST_1] = lambda: locust_run(home, locust, "HttpUser", port, SECONDS, None).rps
        tools[LOCUST_2] = lambda: locust_run(home, locust, "HttpUser", port, SECONDS, None, processes=2).rps
    rates: dict[str, list[float]] = {name: [] for name in tools}
    failed: dict[str, str] = {}
    for _ in range(ROUNDS):
        for name, run in tools.items():
            if name in failed:
                continue
            try:
                rates[name].append(run())
            except Failed as error:
                failed[name] = str(error)
    rows = [
        Row(f"{name}, closed loop on two cores", _median(rates[name]), "a second", None, failed.get(name, ""))
        for name in tools
    ]
    pairs = ((DIVIDED, OURS), (WRK_2, WRK_1), (LOCUST_2, LOCUST_1), (DIVIDED, LOCUST_2), (DIVIDED, WRK_2))
    for name, other in pairs:
        if name in rates and other in rates:
            ratios = [first / second for first, second in zip(rates[name], rates[other], strict=False)]
            rows.append(Row(f"{name} / {other}, requests a second", _median(ratios), "x", None, "of the same rounds"))
    return rows


def _median(values: list[float]) -> float:
    return statistics.median(values) if values else math.nan
