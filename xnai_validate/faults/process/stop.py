"""`process.stop`: a process that ends, and is started again."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
from typing import Annotated, Self

from xnai_validate.faults._reach import connects
from xnai_validate.faults.process._subject import process_of, send
from xnai_validate.kit import (
    ActiveFault,
    Clock,
    Duration,
    FaultContext,
    Field,
    Gone,
    Gt,
    JsonValue,
    Le,
    Params,
    ProcessId,
    SocketPath,
    Undo,
    Unmeasurable,
    fault,
    model_validator,
    pause_s,
    process_id,
)
from xnai_validate.wire.containers.processes import pid_of

KILLED_S = 5.0
"""How long a process may take to be gone after SIGKILL."""
PATIENCE_S = 1.0
"""How long a supervisor may take to start it before the command of the check does."""


class StopParams(Params):
    """How it ends, and what starts it again."""

    supervised: bool = False
    """Whether it is started again by itself: by a supervisor, systemd, or a restart policy."""
    restart: Annotated[tuple[str, ...], Field(min_length=1)] | None = None
    """A command that starts it again, for a process without a supervisor."""
    within: Annotated[Duration, Gt(0), Le(60)] = 30.0
    """How long it may take until it is back."""
    kill: bool = False
    """SIGKILL at once, as when memory runs out, instead of SIGTERM."""
    grace: Duration = 5.0
    """How long it may take to end after SIGTERM, before it is killed."""
    socket: SocketPath | None = None
    """The path of the container engine's socket, for a target of which only the container is known."""

    @model_validator(mode="after")
    def _require_restart(self) -> Self:
        """Raise ValueError if no one would start the process again."""
        if not self.supervised and self.restart is None:
            raise ValueError(
                "a process without a supervisor is not started again; set `supervised: true`, or give `restart`"
            )
        return self


class StopUndo(Undo):
    """Which process it was, and how it is started again."""

    process: ProcessId
    restart: tuple[str, ...] | None
    folder: str
    """Where the command is run."""
    within_s: float


@fault("process.stop", limit_s=300, grace_s=90)
class Stop:
    """End the target's process, and wait until it has been started again.

    SIGTERM and, if that does not end it in time, SIGKILL to it and all below it. It is back when a process runs in its
    place and accepts connections at the target's url. It may have another pid then: that is read from the stack file
    (`run --stack FILE`, `demo --state FILE`), or from the container engine.

        under: [{fault: process.stop, target: worker, with: {supervised: true, within: 10s}}]
    """

    def describe(self, params: StopParams, target: str) -> str:
        """Return what it does to the target."""
        how = "is killed (SIGKILL)" if params.kill else "is ended (SIGTERM)"
        restart = "its supervisor starts it again" if params.restart is None else f"{params.restart[0]} starts it again"
        return f"the process of {target} {how}; {restart} within {params.within:g} s"

    async def prepare(self, params: StopParams, ctx: FaultContext) -> StopUndo:
        """Find the process. Raises Unmeasurable if it could not be noticed that it is back."""
        process = await process_of(ctx, params.socket)
        target = ctx.target
        if target.pid is not None and target.state_file is None and target.url is None:
            raise Unmeasurable(
                f"it could not be noticed that {target.name} is back: it has neither a url nor a stack file"
            )
        return StopUndo(process=process, restart=params.restart, folder=os.getcwd(), within_s=params.within)

    async def inject(self, params: StopParams, undo: StopUndo, ctx: FaultContext) -> ActiveFault | None:
        """End it; none of its processes is left when this returns."""
        tree = undo.process.tree()
        if not params.kill:
            send(undo.process, signal.SIGTERM)
            await _wait_until_ended(tree, params.grace, ctx.clock)
        for process in tree:
            send(process, signal.SIGKILL)
        if not await _wait_until_ended(tree, KILLED_S, ctx.clock):
            raise Unmeasurable(f"the process of {ctx.target.name} does not end")
        return None

    async def revert(self, undo: StopUndo, ctx: FaultContext) -> None:
        """Wait until it is back; with a command, start it unless it is back within a second by itself."""
        begun = ctx.clock.monotonic()
        started = undo.restart is None
        while True:
            waited_s = ctx.clock.monotonic() - begun
            if await _is_back(undo, ctx):
                return
            if waited_s >= undo.within_s:
                raise Unmeasurable(f"{ctx.target.name} was not started again within {undo.within_s:g} s")
            if not started and undo.restart is not None and waited_s >= PATIENCE_S:
                started = True
                await asyncio.to_thread(_start, undo.restart, undo.folder)
            await ctx.clock.sleep(pause_s(waited_s))

    async def fingerprint(self, undo: StopUndo, ctx: FaultContext) -> JsonValue:
        """Return whether it runs and accepts connections."""
        return {"runs": await _runs(undo, ctx), "connects": await connects(ctx.target)}


async def _is_back(undo: StopUndo, ctx: FaultContext) -> bool:
    """Whether the process runs again and its target accepts connections."""
    return await _runs(undo, ctx) and await connects(ctx.target) is not False


async def _runs(undo: StopUndo, ctx: FaultContext) -> bool:
    """Whether the process, or another in its place, runs."""
    target = ctx.target
    kept = target.state_file if target.pid is not None else None
    if kept is not None and not os.path.exists(kept):  # noqa: ASYNC240 (local, and small)
        raise Gone("the stack has ended")
    if undo.process.alive:
        return True
    accepts = await connects(target)
    if target.pid is not None and target.state_file is None:
        return accepts is True  # its new pid is not known
    if accepts is False:
        return False  # to look for the process that listens would read those of the whole host, at each look
    pid = await pid_of(target)
    return pid is not None and process_id(pid) is not None


async def _wait_until_ended(processes: tuple[ProcessId, ...], within_s: float, clock: Clock) -> bool:
    """Wait until no process is alive; False if the time is over before."""
    deadline = clock.monotonic() + within_s
    while True:
        is_last = clock.monotonic() >= deadline
        if not any(process.alive for process in processes):
            return True
        if is_last:
            return False
        await clock.sleep(0.01)


def _start(command: tuple[str, ...], folder: str) -> None:
    """Start a command that outlives this process, by a shell that ends at once."""
    subprocess.run(
        ["/bin/sh", "-c", '"$@" &', "sh", *command],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd=folder if os.path.isdir(folder) else None,
        start_new_session=True,
        check=False,
        timeout=KILLED_S,
    )
