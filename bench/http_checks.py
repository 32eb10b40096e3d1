"""HTTP checks on a static server: 120 beside other tools, then 1 000 and 10 000."""

from __future__ import annotations

import shutil
from pathlib import Path

from bench import workload
from bench.measure import Measured, Subject, alternate
from bench.table import Row
from bench.tools import CHAOS, PYTEST, TAVERN, Installed, check_http, npm_tool, other_tool

FEW = 120
PEAK_MIB = 50.0
RATIOS = {
    "pytest + httpx": 0.9,
    "tavern": 0.3,
    "stepci": 0.3,
    "Chaos Toolkit": 0.3,
    "check_http loop": None,
}
"""Tool -> the largest share of its time that ours may take; None where the ratio is only shown."""


def http_checks(home: Path, tool: Installed, port: int, rounds: int) -> list[Row]:
    """Measure FEW checks with each tool."""
    pytest, tavern, chaos = other_tool("pytest", PYTEST), other_tool("tavern", TAVERN), other_tool("chaos", CHAOS)
    stepci = npm_tool("stepci")
    subjects: list[Subject | None] = [
        workload.ours(home, port, FEW, tool),
        workload.pytest_httpx(home, port, FEW, pytest) if pytest else None,
        workload.tavern(home, port, FEW, tavern) if tavern else None,
        workload.stepci(home, port, FEW, stepci) if stepci else None,
        workload.chaos_toolkit(home, port, FEW, chaos) if chaos else None,
        workload.shell_loop(home, port, FEW, check_http(), shutil.which("curl")),
    ]
    measured = alternate([subject for subject in subjects if subject is not None], rounds)
    ours = measured["xnai-validate"]
    failed = ours.failure is not None
    rows = [
        Row(f"xnai-validate run, {FEW} HTTP checks", ours.median_ms, "ms", None, ours.failure or "", failed),
        Row("xnai-validate, its peak memory", ours.peak_mib or float("nan"), "MiB", PEAK_MIB),
    ]
    for name, goal in RATIOS.items():
        rows.append(_ratio(ours, measured.get(name), name, goal))
    return rows


def scale(home: Path, tool: Installed, port: int, rounds: int) -> list[Row]:
    """Measure 1 000 checks beside pytest + httpx, and 10 000 by themselves: time, memory, and loading."""
    pytest = other_tool("pytest", PYTEST)
    thousand = workload.ours(home, port, 1_000, tool)
    subjects = [thousand, workload.dry(thousand)]
    if pytest:
        subjects.append(workload.pytest_httpx(home, port, 1_000, pytest))
    measured = alternate(subjects, rounds)
    ours = measured["xnai-validate"]
    rows = [_own("run, 1 000 HTTP checks", ours, None)]
    rows.append(_ratio(ours, measured.get("pytest + httpx"), "pytest + httpx, 1 000", 0.8))
    rows.append(_own("loading 1 000 checks", measured["xnai-validate --dry-run"], None))
    many = workload.ours(home, port, 10_000, tool)
    measured = alternate([many, workload.dry(many)], max(1, rounds // 2))
    rows.append(_own("run, 10 000 HTTP checks", measured["xnai-validate"], 9_000.0))
    rows.append(_own("loading 10 000 checks", measured["xnai-validate --dry-run"], None))
    rows.append(Row("peak memory, 10 000 checks", measured["xnai-validate"].peak_mib or float("nan"), "MiB", 80.0))
    return rows


def _own(what: str, result: Measured, goal_ms: float | None) -> Row:
    note = result.failure or f"{result.peak_mib:.0f} MiB"
    return Row(f"xnai-validate {what}", result.median_ms, "ms", goal_ms, note, result.failure is not None)


def _ratio(ours: Measured, other: Measured | None, name: str, goal: float | None) -> Row:
    if other is None:
        return Row(f"xnai-validate / {name}", float("nan"), "x", goal, "not installed; see bench/tools.py")
    note = other.failure or f"{other.name}: {other.median_ms:.0f} ms, {other.peak_mib:.0f} MiB"
    return Row(f"xnai-validate / {name}", ours.median_ms / other.median_ms, "x", goal, note)
