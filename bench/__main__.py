"""`python -m bench`: start-up, HTTP checks beside other tools, memory, loading, streams, and baselines.

Everything runs in turns on the same machine, and the medians are compared as ratios, so that the figures of a slow or
busy machine still mean something. The exit code is 0 unless our own command does not run.
"""

from __future__ import annotations

import argparse
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from bench import workload
from bench.baseline import baseline
from bench.imports import heavy_imports
from bench.load import load
from bench.measure import Measured, Subject, alternate
from bench.static import static_server
from bench.streams import streams
from bench.table import Row, render
from bench.tools import PYTEST, ROOT, TAVERN, Installed, check_http, other_tool, our_tool

GROUPS = ("start", "http", "scale", "load", "streams", "inner", "baseline")


def main() -> int:
    """Measure the groups that are asked for and print one table."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__.partition("\n")[0] if __doc__ else "")
    parser.add_argument("groups", nargs="*", choices=[*GROUPS, []], help=f"of {', '.join(GROUPS)}; default: all")
    parser.add_argument("--rounds", type=int, default=7, help="turns of every command (default 7)")
    asked = parser.parse_args()
    groups = asked.groups or list(GROUPS)
    rows: list[Row] = []
    mine = our_tool()
    with tempfile.TemporaryDirectory(prefix="xnai-bench-") as folder, static_server() as port:
        home = Path(folder)
        if "start" in groups:
            rows += start_up(home, mine, asked.rounds)
        if "http" in groups:
            rows += http_checks(home, mine, port, asked.rounds)
        if "scale" in groups:
            rows += scale(home, mine, port, max(1, asked.rounds // 2))
        if "load" in groups:
            rows += load(home, mine, port, asked.rounds)
        if "streams" in groups:
            rows += streams(home, mine, asked.rounds)
        if "inner" in groups:
            rows += inner()
        if "baseline" in groups:
            rows += baseline()
    busy = ", ".join(f"{average:.1f}" for average in os.getloadavg())
    sys.stdout.write(
        f"Python {platform.python_version()}, {os.cpu_count()} cores, load {busy}, medians of {asked.rounds} rounds. "
        "All Python tools are installed by pip,\nours as a wheel of this checkout, each in an environment of its own; "
        "so the bytecode of all is compiled.\n\n"
        f"{render(rows)}\n"
    )
    return 1 if any(row.broken for row in rows) else 0


def start_up(home: Path, tool: Installed, rounds: int) -> list[Row]:
    """A bare interpreter against the commands that everybody types first."""
    found = alternate(
        [
            Subject("bare", (tool.python, "-c", "pass")),
            Subject("re", (tool.python, "-c", "import re, sys")),
            Subject("--version", (tool.ours, "--version")),
            Subject("--help", (tool.ours, "--help")),
            Subject("list phase4.1", (tool.ours, "list", "phase4.1"), cwd=home),
        ],
        rounds * 2 + 1,
    )
    bare = found["bare"]
    rows = [Row("python -c pass", bare.median_ms, "ms", None, _memory(bare))]
    script = f"start scripts of older pips (23.2) import re by themselves; this one is of pip {tool.version('pip')}"
    rows.append(
        Row("python -c 'import re, sys' / python -c pass", found["re"].median_ms / bare.median_ms, "x", None, script)
    )
    for name, goal in (("--version", 1.5), ("--help", 6.0), ("list phase4.1", None)):
        one = found[name]
        note = one.failure or f"{one.median_ms:.0f} ms, {_memory(one)}"
        ratio = one.median_ms / bare.median_ms
        rows.append(Row(f"xnai-validate {name} / python -c pass", ratio, "x", goal, note, one.failure is not None))
    for name in ("--version", "--help"):
        heavy = heavy_imports(tool, name)
        number = float("nan") if heavy is None else float(len(heavy))
        rows.append(Row(f"heavy libraries imported by {name}", number, "", 0.0, ", ".join(heavy or ())))
    return rows


def http_checks(home: Path, tool: Installed, port: int, rounds: int) -> list[Row]:
    """120 checks on a static server, as each tool does them."""
    count = 120
    pytest, tavern = other_tool("pytest", PYTEST), other_tool("tavern", TAVERN)
    subjects: list[Subject | None] = [
        workload.ours(home, port, count, tool),
        workload.shell_loop(home, port, count, check_http(), shutil.which("curl")),
        workload.pytest_httpx(home, port, count, pytest) if pytest else None,
        workload.tavern(home, port, count, tavern) if tavern else None,
    ]
    found = alternate([subject for subject in subjects if subject is not None], rounds)
    mine = found["xnai-validate"]
    failed = mine.failure is not None
    rows = [Row(f"xnai-validate run, {count} HTTP checks", mine.median_ms, "ms", None, mine.failure or "", failed)]
    rows.append(Row("xnai-validate, its peak memory", mine.peak_mib or float("nan"), "MiB", 45.0))
    goals = {"check_http loop": 1.0, "curl loop": None, "pytest + httpx": 1 / 2.5, "tavern": 1 / 6}
    for name, goal in goals.items():
        other = found.get(name)
        if other is not None:
            note = other.failure or f"{name}: {other.median_ms:.0f} ms, {_memory(other)}"
            rows.append(Row(f"xnai-validate / {name}", mine.median_ms / other.median_ms, "x", goal, note))
        elif name != "curl loop":
            rows.append(Row(f"xnai-validate / {name}", float("nan"), "x", goal, "not installed; see bench/tools.py"))
    return rows


def scale(home: Path, tool: Installed, port: int, rounds: int) -> list[Row]:
    """1 000 and 10 000 checks: time, memory, and what loading them takes."""
    rows: list[Row] = []
    peaks: dict[int, float] = {}
    for count, goal_ms in ((1_000, 1_000.0), (10_000, 8_000.0)):
        subject = workload.ours(home, port, count, tool)
        found = alternate([subject, workload.dry(subject)], rounds)
        mine, dry = found["xnai-validate"], found["xnai-validate --dry-run"]
        peaks[count] = mine.peak_mib or float("nan")
        for what, one, goal in ((f"run, {count} HTTP checks", mine, goal_ms), (f"loading {count} checks", dry, None)):
            note, failed = one.failure or _memory(one), one.failure is not None
            rows.append(Row(f"xnai-validate {what}", one.median_ms, "ms", goal, note, failed))
    rows.append(Row("peak memory, 10 000 / 1 000 checks", peaks[10_000] / peaks[1_000], "x", 1.5, "flat"))
    return rows


def inner() -> list[Row]:
    """Loops that are measured within a process."""
    done = subprocess.run(
        [sys.executable, "-m", "bench.inner"], check=True, cwd=ROOT, stdout=subprocess.PIPE, text=True, timeout=120
    )
    values = {name: float(value) for name, value in (line.split() for line in done.stdout.splitlines())}
    return [
        Row("SSE parser, an event", values["sse_us_per_event"], "us", None, "of 30 us that a stream may take"),
        Row("histogram, a record", values["histogram_ns_per_record"], "ns", 120.0, "the loop around it included"),
    ]


def _memory(one: Measured) -> str:
    return f"{one.peak_mib:.0f} MiB"


if __name__ == "__main__":
    sys.exit(main())
