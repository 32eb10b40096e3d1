"""Programs forked from a process that has imported their modules: a test that starts dozens pays for one import.

`python -m tests.forking MODULE` imports a module and forks a process that calls its `main` for each request on stdin.
A request is a packet with the arguments, the folder and the environment as JSON, and the descriptors of stdin, stdout,
stderr and a pipe. The pipe gets the process id at once, and how the process ended as soon as it has.
"""

from __future__ import annotations

import atexit
import gc
import importlib
import json
import os
import select
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterable
from functools import cache
from io import TextIOWrapper
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
_REQUEST_BYTES = 200_000
_STARTED_S = 60.0
"""Seconds for the first program of a template to start: its modules are imported meanwhile."""


class Program:
    """A forked program: the part of `subprocess.Popen` that tests use, with what the program used."""

    def __init__(self, stdout: int | None, stderr: int | None, events: int) -> None:
        """`stdout` and `stderr` are descriptors to read from; `events` is that of the pipe about the process."""
        self.stdout = None if stdout is None else os.fdopen(stdout, encoding="utf-8")
        self.stderr = None if stderr is None else os.fdopen(stderr, encoding="utf-8")
        self._events = os.fdopen(events, "rb", buffering=0)
        self.returncode: int | None = None
        self.cpu_s = 0.0
        """Processor seconds of the program and of those below it that it has waited for; known at its end."""
        self.rss_mib = 0.0
        """Peak of its memory, which begins with that of the template; known at its end."""
        self.pid = int(self._event(_STARTED_S)["pid"])

    def _event(self, timeout: float | None) -> dict[str, Any]:
        if not select.select([self._events], [], [], timeout)[0]:
            raise subprocess.TimeoutExpired("a forked program", timeout or 0)
        line = self._events.readline()
        assert line, "the template of programs has ended"
        event: dict[str, Any] = json.loads(line)
        return event

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end and return its exit code, or minus the signal that ended it."""
        if self.returncode is None:
            end = self._event(timeout)
            self.returncode, self.cpu_s, self.rss_mib = end["code"], end["cpu_s"], end["rss_mib"]
            self._events.close()
        return self.returncode

    def poll(self) -> int | None:
        """Return None while it runs."""
        try:
            return self.wait(0)
        except subprocess.TimeoutExpired:
            return None

    def send_signal(self, number: int) -> None:
        """Send it a signal, unless it has ended."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        """Send it SIGKILL, unless it has ended."""
        self.send_signal(signal.SIGKILL)

    def communicate(self, timeout: float | None = None) -> tuple[str, str]:
        """Read its output to the end and wait for it; a program that takes longer is killed and raises."""
        late = threading.Event()

        def kill() -> None:
            late.set()
            self.kill()

        alarm = threading.Timer(timeout or 3600, kill)
        errors: list[str] = []
        reader = threading.Thread(target=lambda: errors.append(_rest(self.stderr)))
        alarm.start()
        reader.start()
        try:
            output = _rest(self.stdout)
            reader.join()
            self.wait(timeout)
        finally:
            alarm.cancel()
        if late.is_set():
            raise subprocess.TimeoutExpired("a forked program", timeout or 0)
        return output, "".join(errors)


def _rest(stream: TextIOWrapper | None) -> str:
    if stream is None or stream.closed:
        return ""
    with stream:
        return stream.read()


class Template:
    """The process that has imported a module and forks programs of it. It ends with the process of the tests."""

    def __init__(self, module: str) -> None:
        self._socket, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._lock = threading.Lock()
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.forking", module],
                stdin=theirs.fileno(),
                stdout=subprocess.DEVNULL,
                cwd=ROOT,
                start_new_session=True,  # Ctrl-C ends it through the tests
            )
        atexit.register(self.close)

    def close(self) -> None:
        """End the template; programs that still run go on."""
        self._socket.close()
        self._process.wait()

    def start(
        self, arguments: Iterable[str], folder: Path, environ: dict[str, str], *, session: bool, stderr: bool = True
    ) -> Program:
        """Start a program with these arguments; `session` gives it one of its own, without `stderr` it keeps ours."""
        request = json.dumps([[*arguments], str(folder), environ, session]).encode()
        assert len(request) < _REQUEST_BYTES
        stdout, their_stdout = os.pipe()
        error, their_stderr = os.pipe() if stderr else (None, os.dup(2))
        events, their_events = os.pipe()
        null = os.open(os.devnull, os.O_RDONLY)
        theirs = [null, their_stdout, their_stderr, their_events]
        with self._lock:
            socket.send_fds(self._socket, [request], theirs)
        for descriptor in theirs:
            os.close(descriptor)
        return Program(stdout, error, events)


@cache
def template(module: str) -> Template:
    """Return the template of a module, started at the first use."""
    return Template(module)


def _serve(requests: socket.socket) -> list[Any] | None:
    """Fork a program for each request; return its request in the program, and None when no more will come."""
    while True:
        request, descriptors, _, _ = socket.recv_fds(requests, _REQUEST_BYTES, 4)
        if not request:
            return None
        if os.fork() == 0:
            requests.close()
            _fork_watched(descriptors.pop())
            for standard, descriptor in enumerate(descriptors):
                os.dup2(descriptor, standard)
                os.close(descriptor)
            program: list[Any] = json.loads(request)
            return program
        for descriptor in descriptors:
            os.close(descriptor)
        _reap()


def _reap() -> None:
    """Collect the processes that watched programs which have ended."""
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        return


def _fork_watched(events: int) -> None:
    """Return in a child; this process writes the child's id, waits for it, and writes how it ended."""
    child = os.fork()
    if child == 0:
        os.close(events)
        return
    for descriptor in range(3):  # whoever reads from the program must see its end
        os.close(descriptor)
    os.closerange(3, events)
    os.closerange(events + 1, 256)
    os.write(events, f'{{"pid": {child}}}\n'.encode())
    _, status, used = os.wait4(child, 0)
    end = {
        "code": os.waitstatus_to_exitcode(status),
        "cpu_s": used.ru_utime + used.ru_stime,
        "rss_mib": used.ru_maxrss / 1024,
    }
    os.write(events, f"{json.dumps(end)}\n".encode())
    os._exit(0)


def _become(arguments: list[str], folder: str, environ: dict[str, str], session: bool) -> None:
    """Take on what a program started by a command line has."""
    if session:
        os.setsid()
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environ)
    sys.argv = ["xnai-validate", *arguments]
    sys.stdin = os.fdopen(0, encoding="utf-8", closefd=False)
    sys.stdout = os.fdopen(1, "w", encoding="utf-8", closefd=False)
    sys.stderr = os.fdopen(2, "w", buffering=1, encoding="utf-8", errors="backslashreplace", closefd=False)


if __name__ == "__main__":
    module = importlib.import_module(sys.argv[1])
    gc.collect()
    gc.freeze()
    assert len(os.listdir("/proc/self/task")) == 1, "a program with threads cannot be forked"
    with socket.socket(fileno=os.dup(0)) as inherited:
        request = _serve(inherited)
    if request is not None:
        _become(*request)
        module.main()
