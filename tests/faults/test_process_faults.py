"""What faults of processes promise beyond the contract."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import pytest
from pydantic import ValidationError

from tests.faults.scenes_process import family, wait_until
from tests.faults.trying import trial
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
        for one in psutil.process_iter(["cmdline"]):
            if one.info["cmdline"] == command:
                one.kill()


def test_what_is_stopped_already_is_left_alone() -> None:
    """Somebody else wants it so, and SIGCONT would be no undo."""
    with family() as scene:
        assert scene.target is not None
        assert scene.target.pid is not None
        os.kill(scene.target.pid, signal.SIGSTOP)
        wait_until(lambda: scene.seen() == [True, False])
        with trial("process.pause", scene.target) as one, pytest.raises(Unmeasurable, match="is stopped already"):
            one.prepare()
        os.kill(scene.target.pid, signal.SIGCONT)


def test_those_below_are_left_alone_where_that_is_said() -> None:
    """`tree: false` stops the process only."""
    with family() as scene, trial("process.pause", scene.target, tree=False) as one:
        undo, before = one.prepare()
        one.inject(undo)
        wait_until(lambda: scene.seen() == [True, False])
        assert one.take_back(undo, before).proven
        assert scene.seen() == [False, False]


@pytest.mark.parametrize("pid", [os.getpid(), os.getppid(), 1], ids=["self", "parent", "init"])
@pytest.mark.parametrize("name", ["process.pause", "process.stop"])
def test_nobody_saws_at_his_own_branch(name: str, pid: int) -> None:
    """Neither this process nor one above it, nor the first of all, is disturbed."""
    params: dict[str, Any] = {"supervised": True} if name == "process.stop" else {}
    with (
        trial(name, Target("me", "tcp://127.0.0.1:9", pid=pid), **params) as one,
        pytest.raises(Unmeasurable, match="itself runs in"),
    ):
        one.prepare()


def test_what_does_not_run_is_not_disturbed() -> None:
    """Nor what has no known process at all."""
    with server() as (target, process, _):
        process.kill()
        process.wait(10)
        with trial("process.pause", target) as one, pytest.raises(NotApplicable, match="does not run"):
            one.prepare()
    with trial("process.pause", Target("api", "http://127.0.0.1:9")) as one, pytest.raises(NotApplicable, match="pid"):
        one.prepare()


def test_a_process_without_a_supervisor_is_not_stopped() -> None:
    """Who brings it back must be said; and its return must be seen."""
    words = "without a supervisor is not started again"
    with pytest.raises(ValidationError, match=words), trial("process.stop", Target("api", pid=2)):
        pass
    with (
        family() as scene,
        trial("process.stop", scene.target, supervised=True) as one,
        pytest.raises(Unmeasurable, match="could not be noticed that worker is back"),
    ):
        one.prepare()


@pytest.mark.parametrize("more", [(), ("stubborn",)])
def test_a_command_starts_it_again(more: tuple[str, ...]) -> None:
    """SIGTERM, and SIGKILL for who does not hear; then the command, once, and not where it runs already."""
    with (
        server(*more) as (target, process, command),
        trial("process.stop", target, restart=command, grace="300ms") as one,
    ):
        undo, before = one.prepare()
        assert one.take_back(undo, before).proven
        assert process.poll() is None
        one.inject(undo)
        assert process.wait(10) == (-signal.SIGKILL if more else -signal.SIGTERM)
        proof = one.take_back(undo, before)
        assert proof.proven, proof.why
        assert one.take_back(undo, before).proven
        running = [one.pid for one in psutil.process_iter(["cmdline"]) if one.info["cmdline"] == command]
        assert len(running) == 1


def test_what_does_not_come_back_is_told() -> None:
    """Nobody starts it, whatever was said: not proven, with the time that was waited."""
    with server() as (target, process, _), trial("process.stop", target, supervised=True, within="500ms") as one:
        undo, before = one.prepare()
        one.inject(undo)
        process.wait(10)
        one.fault = replace(one.fault, grace_s=1.0)
        proof = one.take_back(undo, before)
        assert not proof.proven
        assert "was not started again within 0.5 s" in (proof.why or "")


def test_a_stack_that_has_ended_brings_nothing_back(tmp_path: Path) -> None:
    """Its state file is gone with it: then there is nothing to undo."""
    with server() as (target, process, _):
        state = tmp_path / "state.json"
        state.write_text(f'{{"targets": {{"api": {{"pid": {process.pid}}}}}}}', encoding="utf-8")
        known = Target("api", target.url, pid=process.pid, state_file=str(state))
        with trial("process.stop", known, supervised=True) as one:
            undo, before = one.prepare()
            one.inject(undo)
            state.unlink()
            begun = time.monotonic()
            assert one.take_back(undo, before).proven
            assert time.monotonic() - begun < 10
