"""Faults by the command line: consent, what is shown, and what happens when a run is ended in any way."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import signal
import socket
import subprocess
import termios
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import pytest

from tests.checkers.beside import tcp_server
from tests.e2e.tool import TOOL, Ended, all_gone, environment, report, tool
from tests.faults.driving import becomes, guardians, records
from tests.faults.lying import LyingRedis
from tests.faults.scenes.scene import Scene, scene_of
from xnai_validate.kit import Target

HOLD = """
title: Faults
checks:
  - id: {id}
    title: It is disturbed
    kind: tcp.connect
    target: nothing
    with: {{timeout: {hold}}}
    timeout: 120s
    expect: {{error: {error}}}
    under: [{{fault: {fault}, target: {target}, with: {params}}}]
"""


def write(home: Path, scene: Scene, fault: str, closed_url: str, *, error: str = "refused", hold: str = "60s") -> Path:
    """A profile with one check under a fault, and the stack file of its targets."""
    suite = home / "checks" / "recovery" / "faults.yaml"
    suite.parent.mkdir(parents=True, exist_ok=True)
    assert scene.target is not None
    params = json.dumps(scene.params)
    suite.write_text(HOLD.format(id="it", fault=fault, target=scene.target.name, params=params, error=error, hold=hold))
    (home / "profiles").mkdir(exist_ok=True)
    (home / "profiles" / "faults.yaml").write_text("title: Faults\nsuites: [recovery/faults]\n")
    target = scene.target
    described = {"url": target.url, "pid": target.pid, "password": target.password}
    description = {"targets": {target.name: {k: v for k, v in described.items() if v}, "nothing": {"url": closed_url}}}
    file = home / "stack.json"
    file.write_text(json.dumps(description))
    return file


def run(home: Path, *arguments: str) -> Ended:
    """Run the profile."""
    return tool(home, "run", "faults", "--stack", "stack.json", *arguments)


NOWHERE = "tcp://127.0.0.1:9"
"""The port of discard, where no server listens: a connection is refused at once."""


@contextmanager
def silent() -> Iterator[str]:
    """A port on which connections are not even refused: its queue is full, so that connecting takes all its time."""
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        fillers = [socket.socket() for _ in range(4)]
        for filler in fillers:
            filler.setblocking(False)
            filler.connect_ex(full.getsockname())
        yield f"tcp://127.0.0.1:{full.getsockname()[1]}"
        for filler in fillers:
            filler.close()


@contextmanager
def held(home: Path, fault: str, *, limits: str = "") -> Iterator[tuple[Scene, object, list[str]]]:
    """A scene, what was seen of it before, and a command line that disturbs it for a minute."""
    with scene_of(fault)() as scene, silent() as closed_url:
        write(home, scene, fault, closed_url, error="timeout")
        yield scene, scene.seen(), [TOOL, "run", "faults", "--stack", "stack.json", "--allow", "disruptive"]


def until_disturbed(scene: Scene, before: object) -> None:
    """Wait until the fault is active."""
    end = time.monotonic() + 30
    while scene.seen() == before:
        assert time.monotonic() < end, "it was never disturbed"
        time.sleep(0.02)


def test_nothing_is_disturbed_without_consent(tmp_path: Path) -> None:
    """Skipped with the reason, exit 0; a dry run shows the faults and their targets."""
    with scene_of("redis.maxmemory")() as scene:
        before = scene.seen()
        write(tmp_path, scene, "redis.maxmemory", NOWHERE)
        skipped = run(tmp_path)
        assert skipped.code == 0
        assert "disruptive checks are not allowed here" in skipped.stdout
        shown = run(tmp_path, "--dry-run", "--allow", "disruptive")
        assert "redis has no memory left" in " ".join(shown.stdout.split())
        assert scene.seen() == before
        assert records(tmp_path) == []
        done = run(tmp_path, "--allow", "disruptive", "-o", "report.json")
        assert done.code == 0, done.stdout
        assert "reverted, verified" in done.stdout
        (fault,) = report(tmp_path / "report.json").faults
        assert (fault.fault, fault.target, fault.proven) == ("redis.maxmemory", "redis", True)
        assert scene.seen() == before
        assert records(tmp_path) == []
        becomes(lambda: guardians(tmp_path), [])


def test_what_is_far_away_takes_more_consent(tmp_path: Path) -> None:
    """A target at an address that is neither loopback nor private is not disturbed without --allow-remote."""
    with scene_of("redis.maxmemory")() as scene:
        file = write(tmp_path, scene, "redis.maxmemory", NOWHERE)
    description = json.loads(file.read_text())
    for host, refused in (("203.0.113.7", True), ("redis.example.com", True), ("10.1.2.3", False), ("[::1]", False)):
        description["targets"]["redis"]["url"] = f"redis://{host}:6379/0"
        file.write_text(json.dumps(description))
        shown = run(tmp_path, "--allow", "disruptive", "--dry-run")
        assert ("--allow-remote" in shown.stdout) is refused, host
        assert "--allow-remote" not in run(tmp_path, "--allow", "disruptive", "--allow-remote", "--dry-run").stdout


@pytest.mark.parametrize("fault", ["redis.maxmemory", "process.pause"])
def test_a_killed_run(fault: str, tmp_path: Path) -> None:
    """kill -9: the target is as it was within seconds."""
    with held(tmp_path, fault) as (scene, before, command):
        process = subprocess.Popen(
            command, cwd=tmp_path, env=environment(tmp_path), stdout=subprocess.DEVNULL, stderr=-1
        )
        until_disturbed(scene, before)
        refused = run(tmp_path)
        assert (refused.code, "disturbs the stack just now" in refused.stderr) == (4, True)
        process.kill()
        process.communicate()
        becomes(scene.seen, before)
        becomes(lambda: records(tmp_path), [])


def test_a_closed_terminal(tmp_path: Path) -> None:
    """The terminal is gone, and with it stdout, stderr and the session: everything is reverted."""
    with held(tmp_path, "redis.readonly") as (scene, before, command):
        ours, theirs = pty.openpty()
        process = subprocess.Popen(
            command,
            cwd=tmp_path,
            env={**environment(tmp_path), "TERM": "xterm"},
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0) and None,
        )
        os.close(theirs)
        until_disturbed(scene, before)
        os.close(ours)
        process.wait(30)
        becomes(scene.seen, before)
        assert records(tmp_path) == []
        becomes(lambda: guardians(tmp_path), [])


def test_interrupted_twice(tmp_path: Path) -> None:
    """Ctrl-C in a terminal goes to the whole group, twice: 130, with everything reverted and the report complete."""
    with held(tmp_path, "process.pause") as (scene, before, command):
        process = subprocess.Popen(
            [*command, "-o", "report.json"],
            cwd=tmp_path,
            env=environment(tmp_path),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        until_disturbed(scene, before)
        os.killpg(process.pid, signal.SIGINT)
        os.killpg(process.pid, signal.SIGINT)
        stdout, stderr = process.communicate(timeout=60)
        assert process.returncode == 130, stderr
        assert "Traceback" not in stdout + stderr
        assert scene.seen() == before
        (fault,) = report(tmp_path / "report.json").faults
        assert fault.proven
        assert records(tmp_path) == []


def test_no_room_for_the_journal(tmp_path: Path) -> None:
    """If no file may grow, no fault is injected: the check could not be measured, with the reason; exit 3."""
    with held(tmp_path, "redis.maxmemory") as (scene, before, command):
        done = subprocess.run(
            ["/bin/sh", "-c", 'ulimit -f 0; exec "$@"', "sh", *command],
            cwd=tmp_path,
            env=environment(tmp_path),
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 3, done.stdout + done.stderr
        assert "the undo record cannot be written" in " ".join(done.stdout.split())
        assert "nothing was injected" in " ".join(done.stdout.split())
        assert scene.seen() == before
        assert records(tmp_path) == []


def test_an_undo_that_answers_yes_but_does_nothing(tmp_path: Path) -> None:
    """It is found out: exit 4 with the command that repairs, and no run begins until that was done."""
    lying = LyingRedis()
    with tcp_server(lying.talk) as port:
        scene = Scene(Target("redis", f"redis://127.0.0.1:{port}/0"), {}, lambda: dict(lying.settings))
        write(tmp_path, scene, "redis.readonly", NOWHERE)
        before = scene.seen()
        done = run(tmp_path, "--allow", "disruptive")
        assert done.code == 4, done.stdout + done.stderr
        assert scene.seen() != before
        text = " ".join(done.stdout.split())
        assert "NOT REVERTED (exit 4): a fault may still be in force; revert it with: xnai-validate undo" in text
        refused = run(tmp_path)
        assert (refused.code, refused.stdout) == (4, "")
        assert "revert it with: xnai-validate undo" in refused.stderr
        again = tool(tmp_path, "undo")
        assert (again.code, "NOT REVERTED" in again.stdout) == (4, True)
        lying.honest = True
        assert tool(tmp_path, "undo").code == 0
        assert scene.seen() == before
        assert run(tmp_path).code == 0


DEMO = """
title: Several faults of the embedded stack
checks:
  - id: it
    title: It is disturbed
    kind: experiment.run
    target: api
    timeout: 120s
    with:
      disturb:
        - {fault: redis.maxmemory, target: redis}
        - {fault: redis.pause, target: redis}
        - {fault: process.pause, target: docs}
        - {fault: process.stop, target: worker, with: {supervised: true}}
      probe: {kind: tcp.connect}
      hold: 60s
"""


def test_a_run_that_is_killed_with_the_embedded_stack(tmp_path: Path) -> None:
    """The stack ends with the run: what was active in it is no more, which is found out without a human."""
    suite = tmp_path / "checks" / "recovery" / "faults.yaml"
    suite.parent.mkdir(parents=True)
    suite.write_text(DEMO)
    (tmp_path / "profiles").mkdir()
    (tmp_path / "profiles" / "faults.yaml").write_text("title: F\nextends: stack\nsuites: [recovery/faults]\n")
    mark = uuid4().hex
    process = subprocess.Popen(
        [TOOL, "run", "faults", "--demo", "--allow", "disruptive"],
        cwd=tmp_path,
        env=environment(tmp_path, mark),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    end = time.monotonic() + 60
    while len([name for name in records(tmp_path) if name.endswith(".json")]) < 4:
        assert process.poll() is None
        assert time.monotonic() < end
        time.sleep(0.05)
    process.kill()
    process.wait(10)
    assert all_gone(mark, 30), "processes are left over"
    assert records(tmp_path) == []
