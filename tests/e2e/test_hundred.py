"""A hundred runs are one run."""

from __future__ import annotations

import json
import os
import socket
from pathlib import Path

import psutil
import pytest

from tests.e2e.tool import report, tool
from xnai_validate.demo.processes.stack import EmbeddedStack

RUNS = int(os.environ.get("XNAI_TEST_RUNS", "100"))


def _listening() -> set[int]:
    return {c.laddr[1] for c in psutil.net_connections("tcp") if c.status == psutil.CONN_LISTEN and c.laddr}


@pytest.mark.prove
def test_preflight_a_hundred_times(tmp_path: Path) -> None:
    """No run of preflight differs from another, and no process, port or file is left over."""
    with EmbeddedStack.start(layout="A") as stack:
        stack_file = tmp_path / "stack.json"
        stack_file.write_text(json.dumps(stack.description), encoding="utf-8")
        before_processes, before_ports = set(psutil.pids()), _listening()
        seen = set()
        for _ in range(RUNS):
            out = tmp_path / "report.json"
            done = tool(tmp_path, "run", "preflight", "--stack", str(stack_file), "-o", str(out))
            assert done.code == 0, done.stdout
            seen.add(tuple((check.id, str(check.status)) for check in report(out).checks))
            out.unlink()
        assert len(seen) == 1
        assert all(status in ("pass", "skip") for _, status in next(iter(seen)))
        assert _listening() == before_ports
        # Kernel threads and other people's processes come and go; ours would carry our name.
        left = [p for p in set(psutil.pids()) - before_processes if _ours(p)]
        assert not left
        files = {path.name for path in tmp_path.iterdir()}
        assert files <= {"stack.json", "runs", "parsed"}, files
    assert not _answers(stack.description["targets"]["api"]["url"])


def _ours(pid: int) -> bool:
    try:
        return "xnai" in " ".join(psutil.Process(pid).cmdline())
    except psutil.NoSuchProcess:
        return False


def _answers(url: str) -> bool:
    host, _, port = url.removeprefix("http://").partition("/")[0].partition(":")
    with socket.socket() as probe:
        return probe.connect_ex((host, int(port))) == 0
