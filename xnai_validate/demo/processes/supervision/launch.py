"""Launches the supervisor of a stack: as a program of its own, or forked from a template, which is quicker."""

from __future__ import annotations

import fcntl
import json
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable
from typing import IO, Protocol, Self

PROGRAM = (sys.executable, "-m", "xnai_validate.demo")
TEMPLATE = (sys.executable, "-m", "xnai_validate.demo.processes.supervision.template")


class Launched(Protocol):
    """A launched supervisor: the part of `subprocess.Popen` that is used of it."""

    pid: int

    @property
    def stdin(self) -> IO[bytes] | None:
        """A pipe to it."""

    @property
    def stdout(self) -> IO[bytes] | None:
        """A pipe from it."""

    def poll(self) -> int | None:
        """Return None while it runs."""

    def send_signal(self, sig: int, /) -> None:
        """Send it a signal."""

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end. Raises subprocess.TimeoutExpired."""

    def kill(self) -> None:
        """Send it SIGKILL."""


Launch = Callable[[list[str], IO[bytes]], Launched]
"""Starts a supervisor with these arguments; its messages go to the file."""


class LaunchFailed(RuntimeError):
    """The template has ended."""


def launch_program(arguments: list[str], messages: IO[bytes]) -> subprocess.Popen[bytes]:
    """Start a supervisor as a program of its own."""
    return subprocess.Popen(
        [*PROGRAM, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=messages,
        process_group=0,  # Ctrl-C is for this program, which may still need the stack to undo a fault
    )


class Template:
    """A process that has imported every module of a stack, and forks a supervisor whenever one is to be launched.

    For programs that start one stack after another: importing takes two thirds of the work of a start. It ends when
    it is closed, or when this process and those forked from it end; the stacks that it has forked end by themselves
    (`--until-eof`). It serves one thread of each of these processes.
    """

    supported = hasattr(os, "pidfd_open") and hasattr(socket, "recv_fds")
    """Whether this system has what it takes: handles of processes (Linux)."""

    def __init__(self) -> None:
        self._socket, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._lock = tempfile.TemporaryFile()  # noqa: SIM115  # lives as long as the template
        # prometheus_client looks at its import whether there is such a folder; each stack names its own.
        environment = {**os.environ, "PROMETHEUS_MULTIPROC_DIR": os.devnull}
        with theirs:
            self._process = subprocess.Popen(
                TEMPLATE, stdin=theirs.fileno(), stdout=subprocess.DEVNULL, env=environment, process_group=0
            )

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    def launch(self, arguments: list[str], messages: IO[bytes]) -> Launched:
        """Fork a supervisor with these arguments. Raises LaunchFailed."""
        stdin, write_end = os.pipe()
        read_end, stdout = os.pipe()
        token = os.urandom(8).hex()
        fcntl.lockf(self._lock, fcntl.LOCK_EX)  # held by a process, so that it ends with it
        forked = None
        try:
            request = json.dumps([token, arguments]).encode()
            socket.send_fds(self._socket, [request], [stdin, stdout, messages.fileno()])
            forked = self._answer_to(token)
        except OSError:
            pass  # the template has ended
        finally:
            fcntl.lockf(self._lock, fcntl.LOCK_UN)
            os.close(stdin)
            os.close(stdout)
            if forked is None:  # also where this was interrupted: a supervisor that was forked ends with its stdin
                os.close(write_end)
                os.close(read_end)
        if forked is None:
            raise LaunchFailed(f"the template of stacks has ended with {self._process.poll()}")
        return Forked(*forked, write_end, read_end)

    def _answer_to(self, token: str) -> tuple[int, int] | None:
        """Return the process id and the handle of the supervisor forked for a request; None without the template.

        A launch that was interrupted has left its answer unread: it comes before this one.
        """
        while True:
            answer, handles, _, _ = socket.recv_fds(self._socket, 64, 1)
            if not answer or not handles:
                return None
            answered, _, pid = answer.decode().partition(" ")
            if answered == token:
                return int(pid), handles[0]
            os.close(handles[0])

    def close(self) -> None:
        """End the template."""
        self._socket.close()
        self._lock.close()
        self._process.wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class Forked:
    """A supervisor that a template has forked: no child of this process, so it is held by a handle (pidfd_open(2))."""

    def __init__(self, pid: int, handle: int, stdin: int, stdout: int) -> None:
        self.pid = pid
        self.stdin: IO[bytes] | None = os.fdopen(stdin, "wb", buffering=0)
        self.stdout: IO[bytes] | None = os.fdopen(stdout, "rb", buffering=0)
        self._handle: int | None = handle

    def poll(self) -> int | None:
        """Return None while it runs, 0 after its end: its exit code is known to its template only."""
        return 0 if self._ended(0) else None

    def send_signal(self, sig: int, /) -> None:
        """Send it a signal; does nothing after its end."""
        if self._handle is not None:
            try:
                signal.pidfd_send_signal(self._handle, sig)
            except ProcessLookupError:
                return

    def kill(self) -> None:
        """Send it SIGKILL."""
        self.send_signal(signal.SIGKILL)

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end. Raises subprocess.TimeoutExpired."""
        if not self._ended(timeout):
            raise subprocess.TimeoutExpired(PROGRAM, timeout or 0)
        return 0

    def _ended(self, within_s: float | None) -> bool:
        """Whether it has ended, or does so within some seconds."""
        if self._handle is not None and select.select([self._handle], [], [], within_s)[0]:
            os.close(self._handle)
            self._handle = None
        return self._handle is None
