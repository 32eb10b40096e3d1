"""The process behind a target is known by what it serves, not by a pid alone."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Iterator

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
