"""The process that a fault disturbs, by its pid and start time."""

from __future__ import annotations

import signal

import psutil

from xnai_validate.kit import FaultContext, NotApplicable, ProcessId, Unmeasurable, process_id
from xnai_validate.wire.containers.processes import pid_of


async def process_of(ctx: FaultContext, socket: str | None) -> ProcessId:
    """Return the process behind the target.

    Raises NotApplicable if it is not known or does not run, Unmeasurable if this program runs in it.
    """
    target = ctx.target
    pid = await pid_of(target, socket)
    process = process_id(pid) if pid else None
    if process is None:
        raise NotApplicable(f"the process of target {target.name} does not run")
    if process.pid == 1 or process.pid in _own_ancestors():
        raise Unmeasurable(f"the process of target {target.name} is one that xnai-validate itself runs in")
    return process


def send(process: ProcessId, number: signal.Signals) -> None:
    """Send it a signal, if it still runs. Raises Unmeasurable without permission."""
    try:
        process.send(number)
    except PermissionError:
        raise Unmeasurable(
            f"no permission to signal process {process.pid}", hint="run as the same user, or as root"
        ) from None


def _own_ancestors() -> set[int]:
    """The pids of this process and of all above it."""
    own = psutil.Process()
    return {own.pid, *(parent.pid for parent in own.parents())}
