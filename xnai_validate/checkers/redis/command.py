"""`redis.command`: any command of Redis."""

from __future__ import annotations

from time import perf_counter
from typing import Annotated

from xnai_validate.checkers.redis._access import measured
from xnai_validate.checkers.redis._models import RedisFacts, RedisParams
from xnai_validate.kit import Context, Field, JsonValue, Milliseconds, checker
from xnai_validate.wire.redis.connection import RedisConnection
from xnai_validate.wire.redis.replies import RedisRefusal, Reply

ITEMS_CAP = 1_000
TEXT_CAP = 65_536
DEPTH_CAP = 16


class CommandParams(RedisParams):
    """The command."""

    command: Annotated[list[str | int | float], Field(min_length=1, max_length=1_000)]
    """The command and its arguments: `[CONFIG, GET, maxmemory]`."""


class CommandFacts(RedisFacts):
    """The reply."""

    reply: JsonValue = None
    """The reply as JSON: text, number, list or null; long ones are cut."""
    reply_error: str | None = None
    """The error that the server answered with; `error` is null then, unless it is about the password."""
    reply_error_code: str | None = None
    """The first word of it: `WRONGTYPE`, `READONLY`, `OOM`, `LOADING` ..."""
    total_ms: Milliseconds | None = None
    """From sending the command to its reply."""


@checker("redis.command", expect={"error": None, "reply_error": None}, from_workers=True)
async def command(params: CommandParams, ctx: Context) -> CommandFacts:
    """Send one command to Redis, on a connection of its own, and read the reply.

    A command may write: the author of the check answers for its effects::

        kind: redis.command
        with: {command: [CONFIG, GET, maxmemory-policy]}
        expect: {reply: {"$[1]": allkeys-lru}}
    """

    async def measure(connection: RedisConnection) -> CommandFacts:
        """Send the command and measure its reply."""
        started = perf_counter()
        try:
            reply = await connection.command(*params.command)
        except RedisRefusal as refusal:
            if refusal.code == "NOAUTH":
                raise
            return CommandFacts(
                reply_error=refusal.detail,
                reply_error_code=refusal.code,
                total_ms=(perf_counter() - started) * 1000,
            )
        return CommandFacts(reply=_reply_as_json(reply), total_ms=(perf_counter() - started) * 1000)

    return await measured(ctx, params, CommandFacts, measure, fresh=True)


def _reply_as_json(reply: Reply, depth: int = DEPTH_CAP) -> JsonValue:
    """Return a reply as JSON, bounded in depth, items and text."""
    if isinstance(reply, bytes):
        return reply[: TEXT_CAP * 4].decode("utf-8", "replace")[:TEXT_CAP]
    if isinstance(reply, Exception):
        return str(reply)
    if isinstance(reply, list):
        return [_reply_as_json(item, depth - 1) for item in reply[:ITEMS_CAP]] if depth else "..."
    return reply
