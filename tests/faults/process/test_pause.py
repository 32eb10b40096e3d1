"""`process.pause`, and which processes no fault may touch."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psutil
import pytest

from tests.faults.fault_control import fault_control
from tests.faults.scenes_process import family, wait_until
from xnai_validate.kit import NotApplicable, Target, Unmeasurable

SERVER = """
import signal, socket, sys, time
if "stubborn" in sys.argv: signal.signal(signal.SIGTERM, signal.SIG_IGN)
with socket.create_server(("127.0.0.1", int(sys.argv[1]))) as server:
    print(1, flush=True)
    while True: server.accept()[0].close()
"""


@contextmanager
def server(*more: str) -> Iterator[tuple[Target, subprocess.Popen[bytes], list[str]]]:
    """A server without a supervisor, and the command that would."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    command = [sys.executable, "-c", SERVER, str(port), *more]
    process = subprocess.Popen(command, stdout=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.read(1)
    try:
        yield Target("api", f"tcp://127.0.0.1:{port}", pid=process.pid), process, command
    finally:
        process.kill()
        process.wait(10)
        process.stdout.close()
        for control in psutil.process_iter(["cmdline"]):
            if control.info["cmdline"] == command:
                control.kill()


def test_a_process_that_is_stopped_already_is_refused() -> None:
    """Somebody else wants it so, and SIGCONT would be no undo."""
    with family() as scene:
        assert scene.target is not None
        assert scene.target.pid is not None
        os.kill(scene.target.pid, signal.SIGSTOP)
        wait_until(lambda: scene.seen() == [True, False])
        with (
            fault_control("process.pause", scene.target) as control,
            pytest.raises(Unmeasurable, match="is stopped already"),
        ):
            control.prepare()
        os.kill(scene.target.pid, signal.SIGCONT)


def test_without_tree_the_processes_below_run_on() -> None:
    """`tree: false` stops the process only."""
    with family() as scene, fault_control("process.pause", scene.target, tree=False) as control:
        undo, before = control.prepare()
        control.inject(undo)
        wait_until(lambda: scene.seen() == [True, False])
        assert control.revert(undo, before).proven
        assert scene.seen() == [False, False]


@pytest.mark.parametrize("pid", [os.getpid(), os.getppid(), 1], ids=["self", "parent", "init"])
@pytest.mark.parametrize("name", ["process.pause", "process.stop"])
def test_a_process_that_this_program_runs_in_is_refused(name: str, pid: int) -> None:
    """Neither this process nor one above it, nor the first of all, is disturbed."""
    params: dict[str, Any] = {"supervised": True} if name == "process.stop" else {}
    with (
        fault_control(name, Target("me", "tcp://127.0.0.1:9", pid=pid), **params) as control,
        pytest.raises(Unmeasurable, match="itself runs in"),
    ):
        control.prepare()


def test_a_process_that_does_not_run_is_not_applicable() -> None:
    """Nor what has no known process at all."""
    with server() as (target, process, _):
        process.kill()
        process.wait(10)
        with fault_control("process.pause", target) as control, pytest.raises(NotApplicable, match="does not run"):
            control.prepare()
    with (
        fault_control("process.pause", Target("api", "http://127.0.0.1:9")) as control,
        pytest.raises(NotApplicable, match="pid"),
    ):
        control.prepare()
