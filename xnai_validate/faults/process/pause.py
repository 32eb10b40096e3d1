"""A process that stands still."""

from __future__ import annotations

import signal

from xnai_validate.faults.process._subject import process_of, send
from xnai_validate.kit import ActiveFault, FaultContext, JsonValue, Params, ProcessId, Undo, Unmeasurable, fault

STOPPED_S = 5.0
"""How long a process may take to stand still: one that waits for a disk does so afterwards."""


class PauseParams(Params):
    """Which processes."""

    tree: bool = True
    """Whether the processes below it stand still too, as the workers of a server."""
    socket: str | None = None
    """The path of the container engine's socket, for a target of which only the container is known."""


class PauseUndo(Undo):
    """The processes, parents first."""

    processes: tuple[ProcessId, ...]


@fault("process.pause", limit_s=120)
class Pause:
    """Stop the target's process with SIGSTOP: its sockets stay open, and nothing is answered.

    That is what a machine looks like that swaps or has no processor for it: connections are accepted by the kernel and
    then wait. SIGCONT takes it back. A process that was stopped before is refused, for somebody else wants it so.

        under: [{fault: process.pause, target: llm}]
    """

    def describe(self, params: PauseParams, target: str) -> str:
        """What it does to whom."""
        return f"the process of {target}{' and those below it' if params.tree else ''} stands still (SIGSTOP)"

    async def prepare(self, params: PauseParams, ctx: FaultContext) -> PauseUndo:
        """Who would be stopped."""
        top = await process_of(ctx, params.socket)
        found = top.tree() if params.tree else (top,)
        stopped = [str(one.pid) for one in found if one.state in ("T", "t")]
        if stopped:
            raise Unmeasurable(f"process {', '.join(stopped)} of {ctx.target.name} is stopped already")
        return PauseUndo(processes=found)

    async def inject(self, params: PauseParams, undo: PauseUndo, ctx: FaultContext) -> ActiveFault | None:
        """Parents first, so that none starts another meanwhile; returns when all of them stand still."""
        for one in undo.processes:
            send(one, signal.SIGSTOP)
        end = ctx.clock.monotonic() + STOPPED_S
        while moving := [one for one in undo.processes if one.state not in ("T", None)]:
            if ctx.clock.monotonic() >= end:
                raise Unmeasurable(f"process {moving[0].pid} of {ctx.target.name} does not stop")
            await ctx.clock.sleep(0.005)
        return None

    async def revert(self, undo: PauseUndo, ctx: FaultContext) -> None:
        """Children first; SIGCONT does nothing to a process that runs."""
        for one in reversed(undo.processes):
            send(one, signal.SIGCONT)

    async def fingerprint(self, undo: PauseUndo, ctx: FaultContext) -> JsonValue:
        """Which of them are stopped; one that has ended is not."""
        return {"stopped": [one.pid for one in undo.processes if one.state == "T"]}
