"""How often comparisons with a baseline are wrong, as rows of the table; `bench.simulated` finds it out."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

from bench.table import Row
from bench.tools import ROOT

LIMIT_S = 600
SHIFT = 0.15
"""The share by which a figure is increased that counts from less on."""
_FIGURES = {"p50_ms": " p50", "p99_ms": " p99", "tree_rss_mib": ""}


def baseline() -> list[Row]:
    """False alarms on identical runs, missed shifts of 15 %, and the smallest change of each figure that is found."""
    done = subprocess.run(
        [sys.executable, "-m", "bench.simulated"],
        check=True,
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
        timeout=LIMIT_S,
    )
    return [row for line in done.stdout.splitlines() for row in _rows(json.loads(line))]


def _rows(found: dict[str, Any]) -> list[Row]:
    name = found["recording"]
    note = f"{_interval(found)}; {found['runs']} runs, {found['before']} of them the baseline"
    rows = [Row(f"{name}: false alarms on identical runs, any figure", 100 * found["share"], "%", 1.0, note)]
    for one in found["shifts"]:
        what = f"{name}: {one['load']}{_FIGURES[one['figure']]}"
        spread = f"runs differ by {one['spread']:.1%}; {one['usable']} of {found['runs']} fit to compare"
        least = f"found 95 times of 100 from {one['shift'] - 1:+.0%} on"
        if one["counts_from"] > 1 + SHIFT:  # there 15 % is less than what counts
            note = f"counts from {one['counts_from'] - 1:+.0%}; half the time from {one['half'] - 1:+.0%}; {spread}"
            rows.append(Row(f"{what}, found 95 times of 100 from", 100 * (one["shift"] - 1), "%", None, note))
        else:
            note = f"{_interval(one)}; {least}; {spread}"
            rows.append(Row(f"{what}, 15 % more not noticed", 100 * one["share"], "%", 5.0, note))
    return rows


def _interval(found: dict[str, Any]) -> str:
    low, high = found["interval"]
    return f"95 % interval {low:.2%} to {high:.2%}"
