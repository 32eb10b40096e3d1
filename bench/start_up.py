"""Start-up: the commands that are typed first, beside a bare interpreter."""

from __future__ import annotations

from pathlib import Path

from bench.measure import Subject, alternate
from bench.table import Row
from bench.tools import Installed

QUICK_MS = 100.0
"""Goal for `--version`, `--help` and shell completion."""
LISTING_MS = 700.0
"""Goal for `list` and `lint` of all bundled profiles."""


def start_up(home: Path, tool: Installed, rounds: int) -> list[Row]:
    """Measure a bare interpreter and the commands, in alternating rounds."""
    completion = {"_XNAI_VALIDATE_COMPLETE": "complete_bash", "COMP_WORDS": "xnai-validate run ph", "COMP_CWORD": "2"}
    subjects = {
        "python -c pass": Subject("python -c pass", (tool.python, "-c", "pass")),
        "--version": Subject("--version", (tool.ours, "--version")),
        "--help": Subject("--help", (tool.ours, "--help")),
        "completion": Subject("completion", (tool.ours,), env=completion),
        "list phase4.1": Subject("list phase4.1", (tool.ours, "list", "phase4.1"), cwd=home),
        "lint": Subject("lint", (tool.ours, "lint"), cwd=home),
    }
    goals = {"--version": QUICK_MS, "--help": QUICK_MS, "completion": QUICK_MS, "list phase4.1": LISTING_MS}
    goals["lint"] = LISTING_MS
    measured = alternate(list(subjects.values()), rounds)
    bare = measured["python -c pass"]
    rows = [Row("python -c pass", bare.median_ms, "ms", None, f"{bare.peak_mib:.0f} MiB")]
    for name, goal in goals.items():
        result = measured[name]
        note = result.failure or f"{result.median_ms / bare.median_ms:.1f}x python -c pass, {result.peak_mib:.0f} MiB"
        rows.append(Row(f"xnai-validate {name}", result.median_ms, "ms", goal, note, result.failure is not None))
    return rows
