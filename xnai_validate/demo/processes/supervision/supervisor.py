"""The supervisor of the embedded stack: forks every part, restarts those that die, and cleans up.

One process imports the heavy modules once and forks the parts from itself, so that a stack is ready in a second or
two. It runs no event loop and no thread, which is what makes forking safe.
"""

from __future__ import annotations

import contextlib
import gc
import os
import select
import shutil
import signal
import socket
import sys
import time
from pathlib import Path
from types import FrameType

from xnai_validate.demo.api.answers.corpus import canaries
from xnai_validate.demo.processes import redis_server
from xnai_validate.demo.processes.listeners import Listeners
from xnai_validate.demo.processes.parts import Part, parts_of
from xnai_validate.demo.processes.stack_file import StackFile, as_line, describe, replace_file
from xnai_validate.demo.processes.supervision import child
from xnai_validate.demo.processes.supervision.cleaner import clean_up_after
from xnai_validate.demo.processes.supervision.parent_death import end_with_parent
from xnai_validate.demo.seams import seam
from xnai_validate.demo.settings import Settings

READY_S = 30.0
"""Seconds within which every part must be ready."""
RESTART_AFTER_S = 0.6
"""Seconds between the death of a part and its new start."""
GRACE_S = 1.2
"""Seconds that parts have to end before they are killed."""
STATE = "state.json"
"""Name of the state file in the run directory: the stack file, kept up to date."""


class NotReady(RuntimeError):
    """A part did not come up; the message ends with the last lines of its log."""


@seam
def is_started(part: Part) -> bool:
    """Whether a part is started at all; the port of one that is not refuses connections."""
    return True


@seam
def is_restarted(part: Part, exit_code: int) -> bool:
    """Whether a part that has ended with `exit_code` (minus the signal that killed it) is started again."""
    return part.restart


class Supervisor:
    """Runs one stack: `run()` returns after a signal to stop, when all parts have ended."""

    def __init__(self, settings: Settings, listeners: Listeners, *, until_eof: bool, state_file: Path | None) -> None:
        self._settings = settings
        self._listeners = listeners
        self._until_eof = until_eof
        self._state_files = [settings.run_dir / STATE, *([state_file] if state_file else [])]
        self._running: dict[int, Part] = {}
        self._due: list[tuple[float, Part]] = []
        self._not_ready: set[int] = set()
        self._stopping = False
        self._ready = False
        self._cleaner = 0
        self._ready_read, self._ready_write = os.pipe()
        self._orders_read, self._orders = os.pipe()
        self._woken, self._wake = socket.socketpair()
        for end in (self._woken, self._wake):
            end.setblocking(False)

    def run(self) -> None:
        """Start the stack, print its stack file on stdout, keep it running until a signal to stop, and clean up.

        Raises NotReady, RedisMissing.
        """
        self._listen_to_signals()
        try:
            self._start()
            if not self._stopping:
                self._ready = True
                sys.stdout.write(as_line(self._publish()))
                sys.stdout.flush()
            while not self._stopping:
                self._wait(min((due for due, _ in self._due), default=None))
                self._restart_due()
        finally:
            self._stop()

    def _start(self) -> None:
        """Start Redis, then all other parts, and return once all are ready. Raises NotReady."""
        deadline = time.monotonic() + READY_S
        self._start_cleaner()
        redis_server.data_dir(self._settings).mkdir()
        if self._has("redis"):
            self._fork(next(part for part in parts_of(self._settings.layout) if part.kind == "redis"))
        if self._settings.layout == "B":
            from xnai_validate.demo.processes import certificates  # cryptography takes a while, and A does without

            certificates.issue(self._settings)
        gc.disable()  # nothing that is imported is garbage
        child.preload()
        for part in parts_of(self._settings.layout):
            for reference in part.code:
                child.load(reference)
        redis = self._has("redis")
        if redis and not redis_server.wait_until_up(self._settings, deadline, between=self._reap):
            raise NotReady(f"redis does not answer\n{self._log_tail('redis')}")
        self._not_ready.clear()
        gc.freeze()
        gc.enable()
        for part in parts_of(self._settings.layout):
            if part.kind != "redis" and self._has(part.name):
                self._fork(part)
        while self._not_ready and not self._stopping:
            if time.monotonic() > deadline:
                late = sorted({self._running[pid].name for pid in self._not_ready if pid in self._running})
                raise NotReady(f"not ready after {READY_S:.0f} s: {', '.join(late)}\n{self._log_tail(*late)}")
            self._wait(deadline)

    def _has(self, name: str) -> bool:
        """Whether a part of this name is started."""
        part = next(part for part in parts_of(self._settings.layout) if part.name == name)
        return is_started(part)

    def _start_cleaner(self) -> None:
        """Fork the cleaner while this process is still small."""
        self._cleaner = os.fork()
        if self._cleaner == 0:
            child.detach(self._settings.run_dir / "cleaner.log")
            self._listeners.close()
            os.close(self._orders)
            clean_up_after(self._orders_read, (*self._state_files, self._settings.run_dir))
        os.close(self._orders_read)

    def _fork(self, part: Part) -> None:
        """Fork the process of a part; its sockets listen only from here on, and only in this process and below it."""
        sockets = self._listeners.open(part.ports)
        supervisor = os.getpid()
        pid = os.fork()
        if pid == 0:
            self._become(part, sockets, supervisor)
        self._running[pid] = part
        self._order(f"+{pid}")
        self._not_ready.add(pid)
        for listener in sockets.values():
            listener.close()

    def _become(self, part: Part, sockets: dict[str, socket.socket], supervisor: int) -> None:
        """The child's side of a fork: release everything of the supervisor, then become the part."""
        child.detach(self._settings.run_dir / f"{part.name}.log")
        end_with_parent(supervisor)
        self._listeners.close()
        self._woken.close()
        self._wake.close()
        os.close(self._orders)
        os.close(self._ready_read)
        if part.kind == "redis":
            os.close(self._ready_write)
            child.become_program(redis_server.find_server(), redis_server.arguments(self._settings))

        def ready() -> None:
            os.write(self._ready_write, f"{os.getpid()}\n".encode())

        child.become_part(part, self._settings, sockets, ready)

    def _listen_to_signals(self) -> None:
        """Let signals wake `_wait`: the ones that stop the stack, and the end of a child."""
        signal.set_wakeup_fd(self._wake.fileno(), warn_on_full_buffer=False)
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, self._stop_later)
        signal.signal(signal.SIGCHLD, _wake_up)

    def _stop_later(self, _number: int, _frame: FrameType | None) -> None:
        """Handle a signal: the main loop stops the stack."""
        self._stopping = True

    def _wait(self, until: float | None) -> None:
        """Sleep until something happens or `until` (of `time.monotonic`), and record what happened."""
        timeout = None if until is None else max(0.0, until - time.monotonic())
        watched: list[int] = [self._woken.fileno(), self._ready_read, *([0] if self._until_eof else [])]
        happened, _, _ = select.select(watched, [], [], timeout)
        if self._woken.fileno() in happened:
            with contextlib.suppress(BlockingIOError):
                self._woken.recv(4096)
        if self._ready_read in happened:
            self._not_ready -= {int(line) for line in os.read(self._ready_read, 4096).split()}
            if self._ready and not self._not_ready:
                self._publish()
        if 0 in happened and not os.read(0, 4096):
            self._stopping = True
        self._reap()

    def _reap(self) -> None:
        """Collect ended children, and plan the restart of the parts among them."""
        while self._running:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            part = self._running.pop(pid, None)
            if part is None:
                continue
            self._order(f"-{pid}")
            was_not_ready = pid in self._not_ready
            self._not_ready.discard(pid)
            if self._stopping:
                continue
            if was_not_ready and not self._ready:
                code = os.waitstatus_to_exitcode(status)
                raise NotReady(f"{part.name} ended with {code} before it was ready\n{self._log_tail(part.name)}")
            if is_restarted(part, os.waitstatus_to_exitcode(status)):
                self._due.append((time.monotonic() + RESTART_AFTER_S, part))

    def _restart_due(self) -> None:
        """Fork the parts whose restart is due."""
        now = time.monotonic()
        due = [part for when, part in self._due if when <= now]
        self._due = [(when, part) for when, part in self._due if when > now]
        for part in due:
            if self._stopping:
                return
            self._fork(part)
            if part.kind == "redis":  # the program itself does not report that it is ready
                self._not_ready -= {pid for pid, running in self._running.items() if running is part}
                self._publish()

    def _publish(self) -> StackFile:
        """Write the state files: the stack file with the present process ids."""
        pids = {part.name: pid for pid, part in reversed(self._running.items())}
        stack = describe(self._settings, pids, canaries())
        for path in self._state_files:
            replace_file(path, as_line(stack))
        return stack

    def _order(self, line: str) -> None:
        """Send a line to the cleaner."""
        with contextlib.suppress(BrokenPipeError):
            os.write(self._orders, f"{line}\n".encode())

    def _log_tail(self, *names: str) -> str:
        """The last lines of the parts' logs."""
        lines: list[str] = []
        for name in names:
            with contextlib.suppress(OSError):
                text = (self._settings.run_dir / f"{name}.log").read_text(encoding="utf-8", errors="replace")
                lines += [f"{name}: {line}" for line in text.splitlines()[-12:]]
        return "\n".join(lines)

    def _stop(self) -> None:
        """End every part, quickly: their data is discarded with the stack."""
        self._stopping = True
        for pid, part in list(self._running.items()):
            _signal(pid, signal.SIGKILL if part.kind == "redis" else signal.SIGTERM)
            _signal(pid, signal.SIGCONT)
        deadline = time.monotonic() + GRACE_S
        while self._running and time.monotonic() < deadline:
            self._wait_stopping(deadline)
        for pid in self._running:
            _signal(pid, signal.SIGKILL)
        deadline = time.monotonic() + 5.0
        while self._running and time.monotonic() < deadline:
            self._wait_stopping(deadline)
        self._listeners.close()
        for path in self._state_files:
            path.unlink(missing_ok=True)
        shutil.rmtree(self._settings.run_dir, ignore_errors=True)
        if self._cleaner:
            os.close(self._orders)
            with contextlib.suppress(ChildProcessError):
                os.waitpid(self._cleaner, 0)

    def _wait_stopping(self, until: float) -> None:
        """Wait for ended children while the stack stops, at most until `until`."""
        select.select([self._woken.fileno()], [], [], min(0.05, max(0.0, until - time.monotonic())))
        with contextlib.suppress(BlockingIOError):
            self._woken.recv(4096)
        self._reap()


def _wake_up(_number: int, _frame: FrameType | None) -> None:
    """Does nothing: without a handler Python would not write to the wakeup descriptor."""


def _signal(pid: int, number: signal.Signals) -> None:
    """Send a signal to a process, if it still exists."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)
