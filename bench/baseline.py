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
    for recording in found["shifts"]:
        what = f"{name}: {recording['load']}{_FIGURES[recording['figure']]}"
        spread = f"runs differ by {recording['spread']:.1%}; {recording['usable']} of {found['runs']} fit to compare"
        least = f"found 95 times of 100 from {recording['shift'] - 1:+.0%} on"
        if recording["counts_from"] > 1 + SHIFT:  # there 15 % is less than what counts
            counts, half = recording["counts_from"] - 1, recording["half"] - 1
            note = f"counts from {counts:+.0%}; half the time from {half:+.0%}; {spread}"
            rows.append(Row(f"{what}, found 95 times of 100 from", 100 * (recording["shift"] - 1), "%", None, note))
        else:
            note = f"{_interval(recording)}; {least}; {spread}"
            rows.append(Row(f"{what}, 15 % more not noticed", 100 * recording["share"], "%", 5.0, note))
    return rows


def _interval(found: dict[str, Any]) -> str:
    low, high = found["interval"]
    return f"95 % interval {low:.2%} to {high:.2%}"
