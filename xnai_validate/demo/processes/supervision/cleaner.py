"""The process that outlives a killed supervisor: it kills the remaining parts and removes the run directory."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
from pathlib import Path
from typing import NoReturn


def clean_up_after(orders: int, leftovers: tuple[Path, ...]) -> NoReturn:
    """Read `+pid` and `-pid` lines from the pipe `orders` until its other end is closed; then kill and remove.

    A process is held by a pidfd if the system has them, so that a reused process id is never signalled.
    """
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    os.setsid()
    held: dict[int, int | None] = {}
    with open(orders, encoding="ascii", closefd=False) as lines:
        for line in lines:
            pid = int(line[1:])
            if line.startswith("+"):
                held[pid] = _hold(pid)
            else:
                _release(held.pop(pid, None))
    for pid, handle in held.items():
        _kill(pid, handle)
    for path in leftovers:
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)
    os._exit(0)


def _hold(pid: int) -> int | None:
    """Return a handle of a process, by which its pid is not mistaken later; None if there is no such process."""
    try:
        return os.pidfd_open(pid)
    except (AttributeError, OSError):
        return None


def _release(handle: int | None) -> None:
    """Close a handle."""
    if handle is not None:
        os.close(handle)


def _kill(pid: int, handle: int | None) -> None:
    """Kill the process of a handle; without handles, as on old kernels, the one with the pid."""
    with contextlib.suppress(ProcessLookupError):
        if handle is not None:
            signal.pidfd_send_signal(handle, signal.SIGKILL)
        elif not hasattr(os, "pidfd_open"):
            os.kill(pid, signal.SIGKILL)
