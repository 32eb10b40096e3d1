"""The supervisor of the embedded stack: forks every part, watches them, starts the dead again, and clears up.

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

from xnai_validate.demo.processes import child, redis_server
from xnai_validate.demo.processes.cleaner import keep
from xnai_validate.demo.processes.listeners import Listeners
from xnai_validate.demo.processes.parent_death import end_with_parent
from xnai_validate.demo.processes.parts import Part, parts_of
from xnai_validate.demo.processes.stack_file import Handover, as_line, handover, write_aside
from xnai_validate.demo.settings import Settings

READY_S = 30.0
"""Seconds within which every part must be ready."""
RESTART_AFTER_S = 1.0
"""Seconds between the death of a part and its new start."""
GRACE_S = 1.2
"""Seconds that parts have to end before they are killed."""
STATE = "state.json"
"""Name of the state file in the run directory: the handover, kept up to date."""


class NotReady(RuntimeError):
    """A part did not come up; the message ends with the last lines of its log."""


class Supervisor:
    """Runs one stack: `run()` returns when it has been told to stop and nothing is left of it."""

    def __init__(self, settings: Settings, listeners: Listeners, *, until_eof: bool, state_file: Path | None) -> None:
        self._settings = settings
        self._listeners = listeners
        self._until_eof = until_eof
        self._state_files = [settings.run_dir / STATE, *([state_file] if state_file else [])]
        self._running: dict[int, Part] = {}
        self._due: list[tuple[float, Part]] = []
        self._awaited: set[int] = set()
        self._stopping = False
        self._ready = False
        self._keeper = 0
        self._ready_read, self._ready_write = os.pipe()
        self._orders_read, self._orders = os.pipe()
        self._woken, self._wake = socket.socketpair()
        for end in (self._woken, self._wake):
            end.setblocking(False)

    def run(self) -> None:
        """Start the stack, say on stdout that it is ready, keep it running until told to stop, and clear up.

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

    # Starting

    def _start(self) -> None:
        deadline = time.monotonic() + READY_S
        self._start_keeper()
        redis_server.data_dir(self._settings).mkdir()
        if self._has("redis"):
            self._fork(next(part for part in parts_of(self._settings.layout) if part.kind == "redis"))
        if self._settings.layout == "B":
            from xnai_validate.demo.processes import certificates

            certificates.issue(self._settings)
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(self._settings.run_dir / "metrics")  # read at its import
        gc.disable()  # nothing that is imported is garbage
        child.preload()
        for part in parts_of(self._settings.layout):
            for reference in part.code:
                child.load(reference)
        redis = self._has("redis")
        if redis and not redis_server.wait_until_up(self._settings.redis_port, deadline, between=self._reap):
            raise NotReady(f"redis does not answer\n{self._log_tail('redis')}")
        self._awaited.clear()
        if redis:
            redis_server.spoil(self._settings)
        gc.freeze()
        gc.enable()
        for part in parts_of(self._settings.layout):
            if part.kind != "redis" and self._has(part.name):
                self._fork(part)
        while self._awaited and not self._stopping:
            if time.monotonic() > deadline:
                late = sorted({self._running[pid].name for pid in self._awaited if pid in self._running})
                raise NotReady(f"not ready after {READY_S:.0f} s: {', '.join(late)}\n{self._log_tail(*late)}")
            self._wait(deadline)

    def _has(self, name: str) -> bool:
        part = next(part for part in parts_of(self._settings.layout) if part.name == name)
        return not child.absent(part, self._settings)

    def _start_keeper(self) -> None:
        """Fork the keeper while this process is still small."""
        self._keeper = os.fork()
        if self._keeper == 0:
            child.detach(self._settings.run_dir / "keeper.log")
            self._listeners.close()
            os.close(self._orders)
            keep(self._orders_read, (*self._state_files, self._settings.run_dir))
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
        self._awaited.add(pid)
        for listener in sockets.values():
            listener.close()

    def _become(self, part: Part, sockets: dict[str, socket.socket], supervisor: int) -> None:
        """The child's side of a fork: let go of all that is the supervisor's, then be the part."""
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

    # Watching

    def _listen_to_signals(self) -> None:
        signal.set_wakeup_fd(self._wake.fileno(), warn_on_full_buffer=False)
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, self._told_to_stop)
        signal.signal(signal.SIGCHLD, _nothing)

    def _told_to_stop(self, _number: int, _frame: FrameType | None) -> None:
        self._stopping = True

    def _wait(self, until: float | None) -> None:
        """Sleep until something happens or `until` (of `time.monotonic`), and take note of what happened."""
        timeout = None if until is None else max(0.0, until - time.monotonic())
        watched: list[int] = [self._woken.fileno(), self._ready_read, *([0] if self._until_eof else [])]
        happened, _, _ = select.select(watched, [], [], timeout)
        if self._woken.fileno() in happened:
            with contextlib.suppress(BlockingIOError):
                self._woken.recv(4096)
        if self._ready_read in happened:
            self._awaited -= {int(line) for line in os.read(self._ready_read, 4096).split()}
            if self._ready and not self._awaited:
                self._publish()
        if 0 in happened and not os.read(0, 4096):
            self._stopping = True
        self._reap()

    def _reap(self) -> None:
        """Bury dead children, and plan the new start of the parts among them."""
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
            was_awaited = pid in self._awaited
            self._awaited.discard(pid)
            if self._stopping:
                continue
            if was_awaited and not self._ready:
                code = os.waitstatus_to_exitcode(status)
                raise NotReady(f"{part.name} ended with {code} before it was ready\n{self._log_tail(part.name)}")
            if self._is_restarted(part, status):
                self._due.append((time.monotonic() + RESTART_AFTER_S, part))

    def _is_restarted(self, part: Part, status: int) -> bool:
        if not os.waitstatus_to_exitcode(status) and self._settings.broken("restarted-on-failure-only"):
            return False
        return part.restart and not self._settings.broken(f"{part.name}-not-restarted")

    def _restart_due(self) -> None:
        now = time.monotonic()
        due = [part for when, part in self._due if when <= now]
        self._due = [(when, part) for when, part in self._due if when > now]
        for part in due:
            if self._stopping:
                return
            self._fork(part)
            if part.kind == "redis":  # the program itself cannot tell that it is ready
                self._awaited -= {pid for pid, running in self._running.items() if running is part}
                self._publish()

    def _publish(self) -> Handover:
        """Write the state files: the handover with the process ids of now."""
        from xnai_validate.demo.api.answers.corpus import canaries

        pids = {part.name: pid for pid, part in reversed(self._running.items())}
        stack = handover(self._settings, pids, list(canaries()))
        for path in self._state_files:
            write_aside(path, as_line(stack))
        return stack

    def _order(self, line: str) -> None:
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

    # Stopping

    def _stop(self) -> None:
        """End every part, quickly: what they hold is thrown away with the stack."""
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
        if self._keeper:
            os.close(self._orders)
            with contextlib.suppress(ChildProcessError):
                os.waitpid(self._keeper, 0)

    def _wait_stopping(self, until: float) -> None:
        select.select([self._woken.fileno()], [], [], min(0.05, max(0.0, until - time.monotonic())))
        with contextlib.suppress(BlockingIOError):
            self._woken.recv(4096)
        self._reap()


def _nothing(_number: int, _frame: FrameType | None) -> None:
    """A handler must exist for the wakeup to be written."""


def _signal(pid: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)
