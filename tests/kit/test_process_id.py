"""A process is its number and its start: a later process with its number is never reached."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from xnai_validate import errors
from xnai_validate.kit import ProcessId, Target, child_environment, process_id
from xnai_validate.wire.containers.processes import kept_pid


@pytest.fixture
def sleeper() -> Iterator[subprocess.Popen[bytes]]:
    """A process that sleeps; its name would mislead who splits its line in /proc at spaces and parentheses."""
    code = "import ctypes, time; ctypes.CDLL(None).prctl(15, b') S 1 1 (x'); print(1, flush=True); time.sleep(600)"
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.read(1)
    yield process
    process.kill()
    process.wait(10)
    process.stdout.close()


def test_a_process_is_known_by_its_start(sleeper: subprocess.Popen[bytes]) -> None:
    """Its state is read past a hostile name; stopped and continued are seen."""
    identity = process_id(sleeper.pid)
    assert identity is not None
    ticks = os.sysconf("SC_CLK_TCK")
    assert abs(psutil.boot_time() + identity.started / ticks - psutil.Process(sleeper.pid).create_time()) < 1.5
    assert (identity.alive, identity.state in ("R", "S")) == (True, True)
    assert identity.send(signal.SIGSTOP)
    os.waitid(os.P_PID, sleeper.pid, os.WSTOPPED | os.WNOWAIT)
    assert identity.state == "T"
    assert identity.send(signal.SIGCONT)
    assert ProcessId.model_validate_json(identity.model_dump_json()) == identity


@pytest.mark.parametrize("changed", [{"started": 1}, {"boot": "another-boot"}])
def test_another_process_with_its_number_is_not_reached(
    sleeper: subprocess.Popen[bytes], changed: dict[str, object]
) -> None:
    """Neither one that was started at another time, nor one after another start of the machine."""
    found = process_id(sleeper.pid)
    assert found is not None
    earlier = found.model_copy(update=changed)
    assert (earlier.alive, earlier.state, earlier.tree()) == (False, None, ())
    assert not earlier.send(signal.SIGKILL)
    assert sleeper.poll() is None
    assert found.alive


def test_what_has_ended_is_gone(sleeper: subprocess.Popen[bytes]) -> None:
    """Also while its parent has not waited for it."""
    identity = process_id(sleeper.pid)
    assert identity is not None
    sleeper.kill()
    os.waitid(os.P_PID, sleeper.pid, os.WEXITED | os.WNOWAIT)
    assert psutil.Process(sleeper.pid).status() == psutil.STATUS_ZOMBIE
    assert (identity.alive, identity.send(signal.SIGCONT), process_id(sleeper.pid)) == (False, False, None)
    sleeper.wait(10)
    assert (identity.alive, process_id(sleeper.pid)) == (False, None)


def test_a_tree_has_its_parents_first() -> None:
    """Three generations, in order."""
    code = "import subprocess, sys; n = int(sys.argv[1]); n or (print(1, flush=True), __import__('time').sleep(600))"
    code += "; subprocess.run([sys.executable, '-c', sys.argv[2], str(n - 1), sys.argv[2]])"
    process = subprocess.Popen([sys.executable, "-c", code, "2", code], stdout=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.read(1)
    top = process_id(process.pid)
    assert top is not None
    pids = [process.pid for process in top.tree()]
    first = psutil.Process(process.pid)
    (second,) = first.children()
    (third,) = second.children()
    assert pids == [first.pid, second.pid, third.pid]
    for member in reversed(top.tree()):
        member.send(signal.SIGKILL)
    process.wait(10)
    process.stdout.close()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (json.dumps({"targets": {"worker": {"pid": 4711}}}), 4711),
        (json.dumps({"targets": {"worker": {}}}), None),
        (json.dumps({"targets": {"worker": {"pid": "4711"}}}), None),
        (json.dumps({"targets": {"worker": {"pid": -1}}}), None),
        (json.dumps(["worker"]), None),
        ("{", None),
        (None, None),
    ],
)
def test_a_state_file_has_the_current_pid(tmp_path: Path, text: str | None, expected: int | None) -> None:
    """Whatever is in it, or is not; without a file the target's own pid holds."""
    file = tmp_path / "state.json"
    if text is not None:
        file.write_text(text, encoding="utf-8")
    assert kept_pid(Target("worker", pid=1, state_file=str(file))) == expected
    assert kept_pid(Target("worker", pid=1)) is None


def test_a_child_finds_this_package(tmp_path: Path) -> None:
    """From any folder, without its own being looked into, also where the package is not installed."""
    (tmp_path / "xnai_validate.py").write_text("raise SystemExit('the wrong one')")
    code = "import xnai_validate.errors as module; print(module.__file__)"  # needs no other package
    done = subprocess.run(
        [sys.executable, "-P", "-S", "-c", code],
        env=child_environment(),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert done.stdout.strip() == errors.__file__
