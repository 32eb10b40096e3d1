"""What a person waits for: preflight on a running stack, and phases 4.1 and 4 on the embedded stack.

The tool is the one installed in this environment, for it needs the extra `demo`. Memory is the largest resident size
of the tool's own process; the embedded stack is other processes.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from bench.measure import Subject, alternate
from bench.table import Row

COMMAND = str(Path(sys.executable).parent / "xnai-validate")
QUIET = ("--quiet", "--format", "json")
PREFLIGHT_MS = 1_500.0
PHASE41_MS = 25_000.0
PHASE4_MS = 180_000.0
PHASE4_MIB = 100.0
SAMPLE_S = 0.05


@dataclass(frozen=True, slots=True)
class Watched:
    """One run whose own process was sampled."""

    elapsed_ms: float
    peak_mib: float
    failure: str | None


def phases(home: Path, rounds: int) -> list[Row]:
    """Measure preflight in rounds, phase 4.1 and phase 4 once each."""
    with _embedded_stack() as stack:
        file = home / "stack.json"
        file.write_text(stack, encoding="utf-8")
        preflight = Subject("preflight", (COMMAND, "run", "preflight", "--stack", str(file), *QUIET), cwd=home)
        result = alternate([preflight], rounds)["preflight"]
    note = result.failure or f"{result.peak_mib:.0f} MiB"
    rows = [Row("run preflight, running stack", result.median_ms, "ms", PREFLIGHT_MS, note, result.failure is not None)]
    phase41 = _watch(("run", "phase4.1", "--demo"), home)
    phase4 = _watch(("run", "phase4", "--demo", "--allow", "disruptive"), home)
    rows.append(_row("run phase4.1 --demo", phase41, PHASE41_MS))
    rows.append(_row("run phase4 --demo --allow disruptive", phase4, PHASE4_MS))
    rows.append(Row("phase4, peak of the tool", phase4.peak_mib, "MiB", PHASE4_MIB))
    return rows


def _row(what: str, result: Watched, goal_ms: float) -> Row:
    note = result.failure or f"{result.peak_mib:.0f} MiB"
    return Row(what, result.elapsed_ms, "ms", goal_ms, note, result.failure is not None)


@contextmanager
def _embedded_stack() -> Iterator[str]:
    """Start the embedded stack and yield its description, one line of JSON; stop it afterwards."""
    argv = [COMMAND, "demo"]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline()
        finally:
            process.terminate()
            process.wait(30)


def _watch(arguments: tuple[str, ...], home: Path) -> Watched:
    begun = time.perf_counter()
    argv = [COMMAND, *arguments, *QUIET]
    with (home / "phase.json").open("wb") as output:
        process = psutil.Popen(argv, stdout=output, stderr=subprocess.DEVNULL, cwd=home)
        peak = 0
        while process.poll() is None:
            peak = max(peak, _resident(process))
            time.sleep(SAMPLE_S)
    elapsed_ms = (time.perf_counter() - begun) * 1000
    failure = None if process.returncode == 0 else f"exit {process.returncode}"
    return Watched(elapsed_ms, peak / 2**20, failure)


def _resident(process: psutil.Popen) -> int:
    try:
        return int(process.memory_info().rss)
    except (psutil.NoSuchProcess, psutil.ZombieProcess):
        return 0
