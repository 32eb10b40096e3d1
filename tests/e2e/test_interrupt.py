"""Ctrl-C at any moment."""

from __future__ import annotations

import signal
import subprocess
import time
from pathlib import Path
from uuid import uuid4

import pytest

from tests.e2e.tool import TOOL, all_gone, environment, report


@pytest.mark.parametrize("moment", [0.6, 1.2, 1.8, 2.4, 3.0, 3.6, 4.4, 5.2, 6.0, 7.0])
def test_interrupted_run(tmp_path: Path, moment: float) -> None:
    """An interrupted run ends with 130, leaves a report of what it saw, and leaves no process behind."""
    mark = uuid4().hex
    out = tmp_path / "report.json"
    process = subprocess.Popen(
        [TOOL, "run", "phase4.1", "--demo", "-o", str(out)],
        env=environment(tmp_path, mark),
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    time.sleep(moment)
    process.send_signal(signal.SIGINT)
    stdout, stderr = process.communicate(timeout=60)
    assert "Traceback" not in stdout + stderr
    assert all_gone(mark), "processes are left over"
    # On a quick machine the run may be over before the last moments; then it must have passed.
    assert process.returncode in (130, 0), (process.returncode, stderr)
    if out.exists():
        partial = report(out)
        assert partial.exit_code == process.returncode
        assert (partial.run.stopped == "interrupted") == (process.returncode == 130)
    else:
        assert process.returncode == 130
    assert not list(tmp_path.glob(".*report*")), "a half-written file is left over"
