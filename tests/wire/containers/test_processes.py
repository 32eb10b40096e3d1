"""The process behind a target is known by what it serves, not by a pid alone."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from xnai_validate.kit import Target
from xnai_validate.wire.containers.processes import listener_of, pid_of

SERVER = """
import http.server, sys
server = http.server.HTTPServer(("127.0.0.1", 0), http.server.BaseHTTPRequestHandler)
print(server.server_port, flush=True)
sys.stdin.read()
"""


@pytest.fixture
def server() -> Iterator[tuple[int, int]]:
    """A process that listens on a port of its own: (pid, port)."""
    command = [sys.executable, "-c", SERVER]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield process.pid, int(process.stdout.readline())
        process.kill()


@pytest.fixture
def ended() -> int:
    """The pid of a process that has ended."""
    with subprocess.Popen([sys.executable, "-c", "pass"]) as process:
        process.wait()
        return process.pid


def test_a_pid_that_ended_stands_for_the_process_that_serves_the_port(server: tuple[int, int], ended: int) -> None:
    """A supervisor has started the part again with another pid, and the stack file still has the old one."""
    pid, port = server
    target = Target("ui", f"http://127.0.0.1:{port}", pid=ended)
    assert asyncio.run(pid_of(target)) == pid


def test_a_pid_that_runs_is_taken_as_it_is(server: tuple[int, int]) -> None:
    """Who listens on the port is asked only if the known process is gone."""
    target = Target("ui", "http://127.0.0.1:9", pid=server[0])
    assert asyncio.run(pid_of(target)) == server[0]


def test_no_process_serves_the_port(ended: int) -> None:
    """The old pid is returned, so that the process is reported as one that does not run."""
    target = Target("worker", pid=ended)
    assert listener_of(target) is None
    assert asyncio.run(pid_of(target)) == ended


@pytest.mark.parametrize("form", ["{{targets: {{ui: {{pid: {pid}}}}}}}", "targets:\n  ui:\n    pid: {pid}\n"])
def test_a_stack_file_that_is_rewritten_is_read_again(server: tuple[int, int], tmp_path: Path, form: str) -> None:
    """The pid in the file counts, not the one from the beginning of the run; JSON and YAML alike."""
    file = tmp_path / "stack.yaml"
    target = Target("ui", "http://127.0.0.1:9", pid=os.getpid(), state_file=str(file))
    file.write_text(form.format(pid=server[0]))
    assert asyncio.run(pid_of(target)) == server[0]


def test_a_pid_that_was_reused_is_not_the_process(server: tuple[int, int], tmp_path: Path) -> None:
    """A process that began after the stack file was written is another one: what serves the port is taken, or none."""
    pid, port = server
    file = tmp_path / "stack.json"
    file.write_text(json.dumps({"targets": {"ui": {"pid": pid}}}))
    long_ago = time.time() - 3600
    os.utime(file, (long_ago, long_ago))
    assert asyncio.run(pid_of(Target("ui", f"http://127.0.0.1:{port}", pid=pid, state_file=str(file)))) == pid
    assert asyncio.run(pid_of(Target("ui", "http://127.0.0.1:9", pid=pid, state_file=str(file)))) is None


def test_a_process_that_ended_and_was_not_waited_for_is_named_by_its_pid() -> None:
    """A zombie is reported as what it is, as any process that has ended, unless another one serves its port."""
    with subprocess.Popen([sys.executable, "-c", "pass"]) as process:
        end = time.monotonic() + 20
        while psutil.Process(process.pid).status() != psutil.STATUS_ZOMBIE:
            assert time.monotonic() < end
            time.sleep(0.01)
        assert asyncio.run(pid_of(Target("worker", pid=process.pid))) == process.pid
        with socket.socket() as listening:
            listening.bind(("127.0.0.1", 0))
            listening.listen()
            url = f"http://127.0.0.1:{listening.getsockname()[1]}"
            assert asyncio.run(pid_of(Target("worker", url, pid=process.pid))) == os.getpid()
