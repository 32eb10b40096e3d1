"""`process.pause`: a process that is stopped, and continues afterwards."""

from __future__ import annotations

import signal

from xnai_validate.faults.process._subject import process_of, send
from xnai_validate.kit import (
    ActiveFault,
    FaultContext,
    JsonValue,
    Params,
    ProcessId,
    SocketPath,
    Undo,
    Unmeasurable,
    fault,
)

STOPPED_S = 5.0
"""How long a process may take to stop: one that waits for a disk stops only afterwards."""


class PauseParams(Params):
    """Which processes."""

    tree: bool = True
    """Whether the processes below it are stopped too, such as the workers of a server."""
    socket: SocketPath | None = None
    """The path of the container engine's socket, for a target of which only the container is known."""


class PauseUndo(Undo):
    """The processes, parents first."""

    processes: tuple[ProcessId, ...]


@fault("process.pause", limit_s=600)
class Pause:
    """Stop the target's process with SIGSTOP: its sockets stay open, and no request is answered.

    As on a machine that swaps or has no processor time left: the kernel accepts connections, which then wait. SIGCONT
    reverts it. A process that is stopped already is refused: it may be stopped on purpose.

        under: [{fault: process.pause, target: llm}]
    """

    def describe(self, params: PauseParams, target: str) -> str:
        """Return what it does to the target."""
        return f"the process of {target}{' and those below it' if params.tree else ''} is stopped (SIGSTOP)"

    async def prepare(self, params: PauseParams, ctx: FaultContext) -> PauseUndo:
        """Find the processes. Raises Unmeasurable if one of them is stopped already."""
        top = await process_of(ctx, params.socket)
        processes = top.tree() if params.tree else (top,)
        stopped = [str(process.pid) for process in processes if process.state in ("T", "t")]
        if stopped:
            raise Unmeasurable(f"process {', '.join(stopped)} of {ctx.target.name} is stopped already")
        return PauseUndo(processes=processes)

    async def inject(self, params: PauseParams, undo: PauseUndo, ctx: FaultContext) -> ActiveFault | None:
        """Stop parents first, so that none starts another meanwhile; all are stopped when this returns."""
        for process in undo.processes:
            send(process, signal.SIGSTOP)
        deadline = ctx.clock.monotonic() + STOPPED_S
        while True:
            is_last = ctx.clock.monotonic() >= deadline
            running = [process for process in undo.processes if process.state not in ("T", None)]
            if not running:
                return None
            if is_last:
                raise Unmeasurable(f"process {running[0].pid} of {ctx.target.name} does not stop")
            await ctx.clock.sleep(0.005)

    async def revert(self, undo: PauseUndo, ctx: FaultContext) -> None:
        """Continue children first; SIGCONT does not affect a process that runs."""
        for process in reversed(undo.processes):
            send(process, signal.SIGCONT)

    async def fingerprint(self, undo: PauseUndo, ctx: FaultContext) -> JsonValue:
        """Return which of them are stopped; a process that has ended is not."""
        return {"stopped": [process.pid for process in undo.processes if process.state == "T"]}
