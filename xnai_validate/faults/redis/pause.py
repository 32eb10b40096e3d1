"""`redis.pause`: a Redis that keeps its clients waiting."""

from __future__ import annotations

import asyncio
from typing import Annotated, Literal, Self

from xnai_validate.faults.redis._server import ServerUndo, admin, process_of, refuse_older, server_info
from xnai_validate.kit import (
    ActiveFault,
    Duration,
    FaultContext,
    Gt,
    JsonValue,
    Le,
    Params,
    Unmeasurable,
    fault,
    model_validator,
)

ALL_CAP_S = 5.0
"""The longest pause of all commands: it cannot be ended early, since `CLIENT UNPAUSE` waits as well (Redis 7.0)."""
PROBE_S = 1.0
"""A command that is not answered within this time is taken to wait."""


class PauseParams(Params):
    """Which commands wait, and how long at most."""

    mode: Literal["write", "all"] = "write"
    """`write`: commands that may write wait; `all`: all commands of all clients wait."""
    duration: Annotated[Duration, Gt(0), Le(60)] | None = None
    """The server itself ends the pause after this time, if it is not reverted before: 30 s, or 2 s with `all`."""

    @model_validator(mode="after")
    def _verify_duration(self) -> Self:
        """Raise ValueError for a pause of all commands that is too long, since it cannot be ended early."""
        if self.mode == "all" and self.seconds > ALL_CAP_S:
            raise ValueError(f"a pause of all commands cannot be ended early, so it lasts at most {ALL_CAP_S:g}s")
        return self

    @property
    def seconds(self) -> float:
        """How long at most."""
        return self.duration or (2.0 if self.mode == "all" else 30.0)


@fault("redis.pause", limit_s=60, grace_s=12)
class Pause:
    """Let Redis keep its clients waiting: commands that write, or all, are answered only afterwards.

    `CLIENT PAUSE` of Redis 6.2 or later, with a time limit that the server keeps by itself, so that it does not stay
    paused even if this machine is lost. `write` is reverted at once by `CLIENT UNPAUSE`; `all` ends by its time limit.

        under: [{fault: redis.pause, target: redis, with: {duration: 10s}}]
    """

    def describe(self, params: PauseParams, target: str) -> str:
        """Return what it does to the target."""
        what = "commands that write" if params.mode == "write" else "all commands of all clients"
        return f"{target} lets {what} wait, for at most {params.seconds:g} s (CLIENT PAUSE)"

    async def prepare(self, params: PauseParams, ctx: FaultContext) -> ServerUndo:
        """Read which server it is. Raises Unmeasurable if commands wait already."""
        async with admin(ctx) as connection:
            info = await server_info(connection)
        refuse_older(info, (6, 2))
        if await _waits(ctx, None):
            raise Unmeasurable(f"{ctx.target.name} keeps commands waiting already")
        return ServerUndo(server=info.get("run_id", ""), process=process_of(ctx))

    async def inject(self, params: PauseParams, undo: ServerUndo, ctx: FaultContext) -> ActiveFault | None:
        """Pause it, with the time limit."""
        milliseconds = round(min(params.seconds, ctx.limit_s) * 1000)
        async with admin(ctx) as connection:
            await connection.command("CLIENT", "PAUSE", milliseconds, params.mode.upper())
        return None

    async def revert(self, undo: ServerUndo, ctx: FaultContext) -> None:
        """End the pause; a pause of all commands answers this command only when it is over."""
        async with admin(ctx, undo) as connection:
            await connection.command("CLIENT", "UNPAUSE")

    async def fingerprint(self, undo: ServerUndo, ctx: FaultContext) -> JsonValue:
        """Return whether a command that may write waits."""
        return {"waits": await _waits(ctx, undo)}


async def _waits(ctx: FaultContext, undo: ServerUndo | None) -> bool:
    """Whether a command waits that may write and changes nothing: the deletion of a key that does not exist."""
    async with admin(ctx, undo) as connection:
        try:
            async with asyncio.timeout(PROBE_S):
                await connection.command("DEL", f"xnai-validate:{ctx.id}:no-such-key")
        except TimeoutError:
            return True
    return False
