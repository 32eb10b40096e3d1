"""A process, identified beyond its pid, which another process may have later."""

from __future__ import annotations

import os
import signal
from contextlib import suppress
from functools import cache
from pathlib import Path

from xnai_validate.model.frozen_model import FrozenModel

_STARTED, _STATE, _PARENT = 19, 0, 1
"""Places in `/proc/PID/stat` after the name, which ends with the last parenthesis (proc_pid_stat(5))."""


class ProcessId(FrozenModel):
    """A process by its pid and the time of its start: pids are reused, such pairs are not."""

    pid: int
    started: int
    """Clock ticks from the start of the machine."""
    boot: str
    """The boot id of the machine."""

    @property
    def state(self) -> str | None:
        """`R`, `S`, `D`, `T` (stopped), `t`, `I`, or None if it has ended; a zombie has ended."""
        stat = _read_stat(self.pid)
        if stat is None or int(stat[_STARTED]) != self.started or self.boot != _read_boot_id() or stat[_STATE] in "ZXx":
            return None
        return stat[_STATE]

    @property
    def alive(self) -> bool:
        """Whether it runs or is stopped."""
        return self.state is not None

    def send(self, number: signal.Signals) -> bool:
        """Send it a signal; return whether it exists. The signal never reaches another process with the same pid.

        Raises PermissionError.
        """
        try:
            handle = os.pidfd_open(self.pid)
        except OSError:
            return False  # it has ended; a kernel without pidfd_open (before 5.3) is older than what we run on
        try:
            # A pid is not reused while a handle is open, so what is checked now is what the signal reaches.
            if not self.alive:
                return False
            signal.pidfd_send_signal(handle, number)
        except ProcessLookupError:
            return False
        finally:
            os.close(handle)
        return True

    def tree(self) -> tuple[ProcessId, ...]:
        """Return it and its descendants, parents first; empty if it has ended."""
        if not self.alive:
            return ()
        below: dict[int, list[int]] = {}
        for entry in Path("/proc").iterdir():
            stat = _read_stat(int(entry.name)) if entry.name.isdigit() else None
            if stat is not None:
                below.setdefault(int(stat[_PARENT]), []).append(int(entry.name))
        pids = [self.pid]
        for pid in pids:  # grows while it is walked
            pids += below.get(pid, [])
        descendants = [process_id(pid) for pid in pids[1:]]
        return (self, *(process for process in descendants if process is not None))


def process_id(pid: int) -> ProcessId | None:
    """Return the process that has this pid now; None if no process has it or the process is a zombie."""
    stat = _read_stat(pid)
    if stat is None or stat[_STATE] in "ZXx":
        return None
    return ProcessId(pid=pid, started=int(stat[_STARTED]), boot=_read_boot_id())


def child_environment() -> dict[str, str]:
    """Return the environment for a child Python that must find this package, also in a checkout."""
    root = Path(__file__).parents[2]
    environment = dict(os.environ)
    if root.name not in ("site-packages", "dist-packages"):
        paths = [str(root), environment.get("PYTHONPATH", "")]
        environment["PYTHONPATH"] = os.pathsep.join(filter(None, paths))
    return environment


def _read_stat(pid: int) -> list[str] | None:
    """Return the fields of `/proc/PID/stat` behind the name of the program; None without such a process."""
    with suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].decode("ascii", "replace").split()
    return None


@cache
def _read_boot_id() -> str:
    """Return the id of this boot of the machine; an empty text if the kernel does not give one."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        return ""
