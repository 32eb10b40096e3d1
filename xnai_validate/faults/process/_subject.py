"""The process that is disturbed, by number and start."""

from __future__ import annotations

import os
import signal

from xnai_validate.kit import FaultContext, NotApplicable, ProcessId, Unmeasurable, process_id
from xnai_validate.wire.containers.processes import pid_of


async def process_of(ctx: FaultContext, socket: str | None) -> ProcessId:
    """The process behind the target.

    Raises NotApplicable where it is not known or does not run, Unmeasurable where disturbing it would end this program.
    """
    target = ctx.target
    pid = await pid_of(target, socket)
    found = process_id(pid) if pid else None
    if found is None:
        raise NotApplicable(f"the process of target {target.name} does not run")
    if found.pid == 1 or found.pid in _above_me():
        raise Unmeasurable(f"the process of target {target.name} is one that xnai-validate itself runs in")
    return found


def send(process: ProcessId, number: signal.Signals) -> None:
    """Send it a signal, where it is still there. Raises Unmeasurable without permission."""
    try:
        process.send(number)
    except PermissionError:
        raise Unmeasurable(
            f"no permission to signal process {process.pid}", hint="run as the same user, or as root"
        ) from None


def _above_me() -> set[int]:
    """This process and all above it."""
    pids: set[int] = set()
    pid = os.getpid()
    while pid > 1 and pid not in pids:
        pids.add(pid)
        try:
            with open(f"/proc/{pid}/stat", "rb") as file:
                pid = int(file.read().rpartition(b")")[2].split()[1])
        except OSError:
            break
    return pids
