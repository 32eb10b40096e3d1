"""The command as a process of its own, as a user starts it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from tests.forking import Program, template

ROOT = str(Path(__file__).parents[2])
WAIT_S = 60


def start(*args: str, **more: str) -> subprocess.Popen[str]:
    """Start the command in the current directory, with more environment variables."""
    environment = {**os.environ, "PYTHONPATH": ROOT, **more}
    command = [sys.executable, "-m", "xnai_validate", *args]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment)


def fork(*args: str, **more: str) -> Program:
    """As `start`, without the start of Python: forked from a process that has imported what these commands need."""
    return template("tests.cli.program").start(args, Path.cwd(), {**os.environ, **more}, session=False)


def finish(process: subprocess.Popen[str] | Program) -> tuple[int, str, str]:
    """Wait for its end; return its exit code, stdout and stderr."""
    out, err = process.communicate(timeout=WAIT_S)
    return process.wait(WAIT_S), out, err


def imported(*args: str, **more: str) -> set[str]:
    """Return the top-level packages that a command imports, with more environment variables."""
    command = [sys.executable, "-X", "importtime", "-m", "xnai_validate", *args]
    # Named, since libraries (readline) set variables behind the back of os.environ.
    environment = {**os.environ, **more}
    result = subprocess.run(command, capture_output=True, text=True, timeout=WAIT_S, check=True, env=environment)
    modules = re.findall(r"^import time:.*\| +(\S+)$", result.stderr, re.MULTILINE)
    return {name.partition(".")[0] for name in modules}
