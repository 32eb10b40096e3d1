"""The workers of a part that has several: forked from it, started again when they die, and ended with it.

The workers share the part's listening sockets; a free worker accepts the next connection. Like the supervisor, the pool
runs no event loop and no thread: a forked process would lose them.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import socket
import sys
import time
from collections.abc import Callable
from types import FrameType
from typing import NoReturn

from xnai_validate.demo.processes.supervision.parent_death import end_with_parent

RESTART_AFTER_S = 0.3
"""Seconds between the death of a worker and its new start."""
GRACE_S = 1.1
"""Seconds that workers have to end before they are killed: less than the supervisor gives the whole part."""

Become = Callable[[int, Callable[[], None]], NoReturn]
"""The worker's side of a fork: its number, and what to call once it serves. Never returns."""


class WorkerPool:
    """Keeps `count` workers of one part alive until SIGTERM; the part is ready once each of them is."""

    def __init__(self, count: int, become: Become, on_end: Callable[[int], None]) -> None:
        """`on_end` is called with the process id of each worker that has ended."""
        self._count = count
        self._become = become
        self._on_end = on_end
        self._workers: dict[int, int] = {}
        """Process id -> number."""
        self._due: dict[int, float] = {}
        """Number -> when it is started again."""
        self._not_ready = set(range(count))
        self._stopping = False
        self._ready_read, self._ready_write = os.pipe()
        self._woken, self._wake = socket.socketpair()
        for end in (self._woken, self._wake):
            end.setblocking(False)

    def run(self, ready: Callable[[], None]) -> None:
        """Run the workers; returns after SIGTERM, when all of them have ended."""
        signal.set_wakeup_fd(self._wake.fileno(), warn_on_full_buffer=False)
        signal.signal(signal.SIGTERM, self._stop)
        signal.signal(signal.SIGCHLD, _wake_up)
        for number in range(self._count):
            self._fork(number)
        while self._not_ready and not self._stopping:
            self._wait()
        if not self._stopping:
            ready()
        while not self._stopping:
            self._wait()
        self._end()

    def _stop(self, _number: int, _frame: FrameType | None) -> None:
        """Handle SIGTERM: the main loop ends the workers."""
        self._stopping = True

    def _fork(self, number: int) -> None:
        """Fork a worker; in the child, drop what belongs to the pool and become the worker."""
        parent = os.getpid()
        sys.stdout.flush()
        sys.stderr.flush()
        pid = os.fork()
        if pid:
            self._workers[pid] = number
            return
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        self._woken.close()
        self._wake.close()
        os.close(self._ready_read)
        end_with_parent(parent)

        def ready() -> None:
            os.write(self._ready_write, bytes([number]))

        self._become(number, ready)

    def _wait(self) -> None:
        """Sleep until something happens or a worker is due, and act on it."""
        timeout = max(0.0, min(self._due.values()) - time.monotonic()) if self._due else None
        happened, _, _ = select.select([self._woken.fileno(), self._ready_read], [], [], timeout)
        if self._ready_read in happened:
            self._not_ready -= set(os.read(self._ready_read, 4096))
        self._clear_wakeups()
        now = time.monotonic()
        for number in [number for number, due in self._due.items() if due <= now]:
            del self._due[number]
            self._fork(number)
        for number in self._collect():
            self._due[number] = time.monotonic() + RESTART_AFTER_S

    def _clear_wakeups(self) -> None:
        """Read the bytes that signals wrote to wake the pool."""
        with contextlib.suppress(BlockingIOError):
            while self._woken.recv(4096):
                pass

    def _collect(self) -> list[int]:
        """The numbers of the workers that have ended since the last call."""
        # Each by its own id: other children of this process are not the pool's.
        ended = [pid for pid in self._workers if os.waitpid(pid, os.WNOHANG)[0]]
        for pid in ended:
            self._on_end(pid)
        return [self._workers.pop(pid) for pid in ended]

    def _end(self) -> None:
        """End the workers with SIGTERM; kill those that take longer than `GRACE_S`."""
        for pid in self._workers:
            os.kill(pid, signal.SIGTERM)
            os.kill(pid, signal.SIGCONT)  # a stopped process would not handle SIGTERM
        deadline = time.monotonic() + GRACE_S
        while self._workers and time.monotonic() < deadline:
            select.select([self._woken.fileno()], [], [], 0.05)
            self._clear_wakeups()
            self._collect()
        for pid in self._workers:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)


def _wake_up(_number: int, _frame: FrameType | None) -> None:
    """Does nothing: without a handler Python would not write to the wakeup descriptor."""
