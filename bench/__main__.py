"""`python -m bench`: phases, start-up, HTTP checks beside other tools, memory, loading, streams, and baselines.

Everything runs in turns on the same machine, and the medians are compared as ratios, so that the figures of a slow or
busy machine still mean something. The exit code is 0 unless our own command does not run.
"""

from __future__ import annotations

import argparse
import os
import platform
import subprocess
import sys
import tempfile
from pathlib import Path

from bench.baseline import baseline
from bench.capacity import capacity
from bench.cores import cores
from bench.http_checks import http_checks, scale
from bench.load import load
from bench.modelserver import model_server
from bench.phases import phases
from bench.scale_out import scale_out
from bench.start_up import start_up
from bench.static import static_server
from bench.streams import streams
from bench.table import Row, render
from bench.tools import ROOT, our_tool

GROUPS = (
    "phases",
    "start",
    "http",
    "scale",
    "load",
    "cores",
    "streams",
    "models",
    "capacity",
    "inner",
    "baseline",
    "scale-out",
)


def main() -> int:
    """Measure the chosen groups and print one table."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__.partition("\n")[0] if __doc__ else "")
    parser.add_argument("groups", nargs="*", choices=[*GROUPS, []], help=f"of {', '.join(GROUPS)}; default: all")
    parser.add_argument("--rounds", type=int, default=7, help="turns of every command (default 7)")
    arguments = parser.parse_args()
    groups = arguments.groups or list(GROUPS)
    rows: list[Row] = []
    mine = our_tool()
    with tempfile.TemporaryDirectory(prefix="xnai-bench-") as folder, static_server() as port:
        home = Path(folder)
        # Our runs keep their journals here, and no fault that another run has left in force stops them.
        os.environ["XNAI_VALIDATE_STATE"] = str(home / "state")
        if "phases" in groups:
            rows += phases(home, arguments.rounds)
        if "start" in groups:
            rows += start_up(home, mine, arguments.rounds)
        if "http" in groups:
            rows += http_checks(home, mine, port, arguments.rounds)
        if "scale" in groups:
            rows += scale(home, mine, port, max(1, arguments.rounds // 2))
        if "load" in groups:
            rows += load(home, mine, port, arguments.rounds)
        if "cores" in groups:
            rows += cores(home, mine, port)
        if "streams" in groups:
            rows += streams(home, mine, arguments.rounds)
        if "models" in groups:
            rows += model_server(home, mine)
        if "capacity" in groups:
            rows += capacity(home, mine)
        if "inner" in groups:
            rows += inner()
        if "baseline" in groups:
            rows += baseline()
        if "scale-out" in groups:
            rows += scale_out()
    busy = ", ".join(f"{average:.1f}" for average in os.getloadavg())
    sys.stdout.write(
        f"Python {platform.python_version()}, {os.cpu_count()} cores, load {busy}; "
        f"medians of {arguments.rounds} rounds.\n"
        "Each Python tool is installed by pip in an environment of its own, ours as a wheel of this checkout,\n"
        "so the bytecode of all is compiled.\n\n"
        f"{render(rows)}\n"
    )
    return 1 if any(row.broken for row in rows) else 0


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


if __name__ == "__main__":
    sys.exit(main())
