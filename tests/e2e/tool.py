"""Running xnai-validate as a user does: as a process of its own, whose every descendant can be found again."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import psutil

from tests.forking import Program, template
from xnai_validate.model.results.report import RunReport
from xnai_validate.report.formats.json import parse

TOOL = str(Path(sys.executable).with_name("xnai-validate"))
MARK = "XNAI_TEST_MARK"


@dataclass(frozen=True, slots=True)
class Ended:
    """How a run of the tool ended."""

    code: int
    stdout: str
    stderr: str


def environment(home: Path, mark: str = "") -> dict[str, str]:
    """The environment of a run: its own state directory, no colour, and a mark that its descendants inherit."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("XNAI_", "REDIS_", "VIKUNJA_"))}
    return {**kept, "XNAI_VALIDATE_STATE": str(home), "NO_COLOR": "1", "COLUMNS": "100", MARK: mark or uuid4().hex}


def start(home: Path, *arguments: str, env: dict[str, str] | None = None) -> Program:
    """Start the tool as a process that has its modules imported."""
    return template("tests.e2e.program").start(arguments, home, {**environment(home), **(env or {})}, session=False)


def tool(
    home: Path, *arguments: str, timeout: float = 300, env: dict[str, str] | None = None, fork: bool = True
) -> Ended:
    """Run the tool to its end; without `fork` by its command, from the start of Python on.

    A forked run does not carry the mark of its environment itself; what it starts does.
    """
    if fork:
        program = start(home, *arguments, env=env)
        stdout, stderr = program.communicate(timeout)
        return Ended(program.wait(), stdout, stderr)
    done = subprocess.run(
        [TOOL, *arguments],
        capture_output=True,
        text=True,
        timeout=timeout,
        env={**environment(home), **(env or {})},
        cwd=home,
        check=False,
    )
    return Ended(done.returncode, done.stdout, done.stderr)


def report(path: Path) -> RunReport:
    """A JSON report, read back by its own model."""
    return parse(path.read_bytes())


def marked(mark: str) -> list[psutil.Process]:
    """The living processes whose environment carries the mark."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get(MARK) == mark and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
        except (psutil.NoSuchProcess, psutil.AccessDenied, psutil.ZombieProcess):
            continue
    return found


def all_gone(mark: str, within_s: float = 10) -> bool:
    """Whether every process with the mark ends within some seconds."""
    end = time.monotonic() + within_s
    while marked(mark):
        if time.monotonic() > end:
            return False
        time.sleep(0.1)
    return True


@contextmanager
def stack_file(folder: Path, description: object) -> Iterator[Path]:
    """Write a stack file, as `run --stack` reads it."""
    path = folder / "stack.json"
    path.write_text(json.dumps(description), encoding="utf-8")
    yield path
    path.unlink()
