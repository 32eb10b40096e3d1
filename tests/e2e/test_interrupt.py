"""Ctrl-C at any moment: `make test` tries every second one, `make prove` all."""

from __future__ import annotations

import signal
import subprocess
import time
from pathlib import Path
from uuid import uuid4

import pytest

from tests.e2e.tool import MARK, TOOL, all_gone, environment, marked, report, start
from tests.forking import Program

MOMENTS = (0.6, 1.2, 1.8, 2.4, 3.0, 3.6, 4.4, 5.2, 6.0, 7.0)
"""Seconds from the start of the run."""
OUT = "report.json"
RUN = ("run", "phase4.1", "--demo", "-o", OUT)


@pytest.mark.parametrize(
    "moment", [*MOMENTS[::2], *(pytest.param(moment, marks=pytest.mark.prove) for moment in MOMENTS[1::2])]
)
def test_interrupted_run(tmp_path: Path, moment: float) -> None:
    """An interrupted run ends with 130, leaves a report of what it saw, and leaves no process behind."""
    mark = uuid4().hex
    process = start(tmp_path, *RUN, env={MARK: mark})
    time.sleep(moment)
    interrupt(process, tmp_path, mark)


def test_interrupted_while_the_stack_starts(tmp_path: Path) -> None:
    """The same holds for the command as a user starts it, before there is anything to report."""
    mark = uuid4().hex
    process = subprocess.Popen(
        [TOOL, *RUN],
        env=environment(tmp_path, mark),
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    while len(marked(mark)) < 2:
        assert process.poll() is None, "it ended before its stack started"
        time.sleep(0.02)
    interrupt(process, tmp_path, mark)


def interrupt(process: subprocess.Popen[str] | Program, folder: Path, mark: str) -> None:
    """Send SIGINT, and hold the run to its exit code, its report, and the end of all its processes."""
    process.send_signal(signal.SIGINT)
    stdout, stderr = process.communicate(timeout=60)
    assert "Traceback" not in stdout + stderr
    assert all_gone(mark), "processes are left over"
    out = folder / OUT
    # On a quick machine the run may be over before the last moments; then it must have passed.
    assert process.returncode in (130, 0), (process.returncode, stderr)
    if out.exists():
        partial = report(out)
        assert partial.exit_code == process.returncode
        assert (partial.run.stopped == "interrupted") == (process.returncode == 130)
    else:
        assert process.returncode == 130
    assert not list(folder.glob(".*report*")), "a half-written file is left over"
