"""Real processes to disturb."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from tests.faults.scenes.scene import Scene, Staged
from xnai_validate.kit import Target

CHILD = "import time; print(1, flush=True); time.sleep(600)"
FAMILY = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {CHILD!r}])"
SUPERVISOR = Path(__file__).with_name("supervisor.py")


def wait_until(holds: object, within_s: float = 20) -> None:
    """Wait until a function gives something true."""
    assert callable(holds)
    end = time.monotonic() + within_s
    while not holds():
        assert time.monotonic() < end, "it did not come to be"
        time.sleep(0.02)


@contextmanager
def family() -> Iterator[Scene]:
    """A process with another below it."""
    process = subprocess.Popen([sys.executable, "-c", FAMILY], stdout=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.read(1)
    top = psutil.Process(process.pid)
    members = [top, *top.children(recursive=True)]
    assert len(members) == 2

    def seen() -> object:
        return [process.status() == psutil.STATUS_STOPPED for process in members]

    try:
        yield Scene(Target("worker", pid=process.pid), {}, seen)
    finally:
        for member in reversed(members):
            member.kill()
        process.wait(10)
        process.stdout.close()


@contextmanager
def supervised() -> Iterator[Scene]:
    """A server that a supervisor starts again under another pid, which it writes to a state file."""
    with tempfile.TemporaryDirectory() as folder, socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
        probe.close()
        state = Path(folder) / "state.json"
        process = subprocess.Popen([sys.executable, str(SUPERVISOR), str(port), str(state)], stdin=subprocess.PIPE)

        def pid() -> int | None:
            return json.loads(state.read_bytes())["targets"]["worker"]["pid"] if state.exists() else None

        def answers() -> bool:
            try:
                with socket.create_connection(("127.0.0.1", port), 1):
                    return True
            except OSError:
                return False

        def seen() -> object:
            now = pid()
            return now is not None and psutil.pid_exists(now), answers()

        try:
            wait_until(lambda: pid() is not None and answers())
            target = Target("worker", f"tcp://127.0.0.1:{port}", pid=pid(), state_file=str(state))
            yield Scene(target, {"supervised": True, "within": "20s", "kill": True}, seen)
        finally:
            assert process.stdin is not None
            process.stdin.close()
            process.wait(20)


SCENES: dict[str, Staged] = {"process.pause": family, "process.stop": supervised}
