"""Start the stack for a test, and end it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.field.supervisor import ROOT

Validated = tuple[subprocess.CompletedProcess[str], dict[str, Any]]
"""The finished command, and its JSON report."""


@contextmanager
def field_stack(layout: str, errors: Path, defect: str = "") -> Iterator[dict[str, Any]]:
    """Yield the description of a running stack. Its errors go to a file; it ends by SIGTERM and leaves no process."""
    with errors.open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.field", "--layout", layout, *(("--defect", defect) if defect else ())],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            cwd=ROOT,
        )
        with process:
            try:
                assert process.stdout
                line = process.stdout.readline()
                assert line, errors.read_text()
                yield json.loads(line)
            finally:
                process.terminate()
                process.wait(30)


def validate(layout: str, profile: str, folder: Path, *options: str, defect: str = "") -> Validated:
    """Run a profile on a stack of its own, with its faults, and return the finished command and its JSON report."""
    with field_stack(layout, folder / "errors.log", defect) as description:
        file = folder / "stack.json"
        file.write_text(json.dumps(description))
        report = folder / "report.json"
        run = subprocess.run(
            [
                *(sys.executable, "-m", "xnai_validate", "run", profile, "--stack", str(file), "--quiet"),
                *("--allow", "disruptive", "--output", str(report), *options),
            ],
            cwd=ROOT,
            env={**os.environ, "XDG_STATE_HOME": str(folder)},
            capture_output=True,
            text=True,
            check=False,
            timeout=1200,
        )
    assert report.exists(), run.stdout + run.stderr
    return run, json.loads(report.read_text())
