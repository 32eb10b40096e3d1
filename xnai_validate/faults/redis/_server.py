"""The server that a fault disturbs: a connection to it, and whether it is still the same."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from xnai_validate.kit import ErrorKind, FaultContext, Gone, NotApplicable, ProcessId, Undo, Unmeasurable, process_id
from xnai_validate.wire.containers.processes import kept_pid
from xnai_validate.wire.failure import WireError
from xnai_validate.wire.redis.client import connect_redis
from xnai_validate.wire.redis.connection import RedisConnection
from xnai_validate.wire.redis.replies import text_of

ANSWER_S = 5.0
"""How long the commands of one method may take together."""


class ServerUndo(Undo):
    """Which server it is: settings made by command are lost when it ends."""

    server: str
    """Its `run_id`, another after each start."""
    process: ProcessId | None
    """Its process, if the target has one."""


@asynccontextmanager
async def admin(ctx: FaultContext, undo: ServerUndo | None = None) -> AsyncIterator[RedisConnection]:
    """Open a connection to the server, and close it afterwards.

    Raises Unmeasurable with the server's words if it does not answer; with `undo`, Gone if the server has ended since,
    or another has taken its place.
    """
    try:
        async with asyncio.timeout(ANSWER_S):
            connection = await connect_redis(ctx.target)
            try:
                if undo is not None and await run_id(connection) != undo.server:
                    raise Gone("the server was started again")
                yield connection
            finally:
                connection.abort()
    except TimeoutError:
        raise Unmeasurable(f"{ctx.target.name} did not answer within {ANSWER_S:g} s") from None
    except WireError as failure:
        if undo is not None and failure.kind is ErrorKind.REFUSED and undo.process and not undo.process.alive:
            raise Gone("the server has ended") from None
        raise Unmeasurable(f"{ctx.target.name}: {failure.detail or failure.kind}") from None


async def run_id(connection: RedisConnection) -> str:
    """The server's `run_id`. Raises WireError."""
    return (await server_info(connection)).get("run_id", "")


async def server_info(connection: RedisConnection) -> dict[str, str]:
    """`INFO server`. Raises WireError."""
    lines = text_of(await connection.command("INFO", "server")).splitlines()
    return dict(line.split(":", 1) for line in lines if ":" in line)


def process_of(ctx: FaultContext) -> ProcessId | None:
    """The process of the server, if the target has one on this machine."""
    pid = kept_pid(ctx.target) or ctx.target.pid
    return process_id(pid) if pid else None


def refuse_older(info: dict[str, str], required: tuple[int, int]) -> None:
    """Raise NotApplicable if the server is older than a version."""
    version = info.get("redis_version", "0.0")
    try:
        numbers = tuple(int(part) for part in version.split(".")[:2])
    except ValueError:
        return
    if numbers < required:
        raise NotApplicable(f"Redis {version} cannot do that; version {required[0]}.{required[1]} or later can")
