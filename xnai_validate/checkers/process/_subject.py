"""Which process is behind a target."""

from __future__ import annotations

import psutil

from xnai_validate.kit import Context
from xnai_validate.wire.containers import processes

STARTERS = frozenset(
    {"catatonit", "docker-init", "dumb-init", "podman-init", "tini", "tini-static", "bash", "dash", "sh"}
)
"""Names of processes that only start another, and wait for it: the init of a container, the shell of a command."""


async def pid_of(ctx: Context, socket: str | None) -> int | None:
    """The pid of the target of the check, as `wire.processes.pid_of` finds it.

    Of a container or service that begins with an init process or a shell it is that of the process below: the init
    that `init: true` of a compose file adds has one thread and four files, whatever the service does.
    """
    pid = await processes.pid_of(ctx.target, socket)
    return None if pid is None else _started_by(pid)


def _started_by(pid: int) -> int:
    """The first process from `pid` downwards that is not a starter with a single child."""
    try:
        process = psutil.Process(pid)
        while process.name() in STARTERS and len(children := process.children()) == 1:
            process = children[0]
    except psutil.Error:
        return pid
    return process.pid
