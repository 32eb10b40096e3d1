"""Which process is behind a target."""

from __future__ import annotations

from xnai_validate.kit import Context
from xnai_validate.wire.containers import processes


async def pid_of(ctx: Context, socket: str | None) -> int | None:
    """The pid of the target of the check, as `wire.processes.pid_of` finds it."""
    return await processes.pid_of(ctx.target, socket)
