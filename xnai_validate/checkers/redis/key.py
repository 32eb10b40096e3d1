"""`redis.key`: one key."""

from __future__ import annotations

from xnai_validate.checkers.redis._access import measured
from xnai_validate.checkers.redis._content import read_content
from xnai_validate.checkers.redis._models import RedisFacts, RedisParams
from xnai_validate.kit import Bytes, Context, Count, Field, JsonValue, NotApplicable, Seconds, checker
from xnai_validate.wire.redis.connection import RedisConnection
from xnai_validate.wire.redis.replies import RedisRefusal, Reply, count_of, number_of, text_of


class KeyParams(RedisParams):
    """Which key."""

    key: str
    """Its name."""
    skip_if_absent: bool = False
    """Skip the check if there is no such key: for a key that exists only once something was written to it."""


class KeyFacts(RedisFacts):
    """The key; all but `exists` is null if it does not exist."""

    exists: bool | None = None
    """Whether the key is there."""
    type: str | None = None
    """string, list, hash, set, zset or stream."""
    expires: bool | None = None
    """Whether the key has a time to live."""
    ttl_s: Seconds | None = None
    """How long it still has to live; null if it does not expire."""
    text: str | None = None
    """The content of a string, at most 256 KiB of it."""
    json_: JsonValue = Field(default=None, alias="json")
    """The content of a string, parsed; the first 100 items of a list, hash, set or sorted set."""
    json_valid: bool | None = None
    """Whether the content of a string is JSON; null for other types."""
    length: Count | None = None
    """Bytes of a string, items of anything else."""
    size_bytes: Bytes | None = None
    """The memory that the key takes."""
    encoding: str | None = None
    """How Redis stores it."""


@checker("redis.key", expect={"error": None, "exists": True}, from_workers=True)
async def key(params: KeyParams, ctx: Context) -> KeyFacts:
    """Read one key: its type, time to live and content. Only reads.

    ::

        kind: redis.key
        with: {key: "circuit_breaker:rag_api"}
        expect: {type: string, ttl_s: {min: 60s}, json: {"$.state": closed, "$.failure_count": {min: 0}}}
    """

    async def measure(connection: RedisConnection) -> KeyFacts:
        """Read the key: its type, time to live, content and size."""
        kind = text_of(await connection.command("TYPE", params.key))
        if kind == "none" and params.skip_if_absent:
            raise NotApplicable(f"there is no key {params.key} yet")
        if kind == "none":
            return KeyFacts(exists=False)
        ttl_ms = number_of(await connection.command("PTTL", params.key))
        content = await read_content(connection, params.key, kind)
        return KeyFacts(
            exists=True,
            type=kind,
            expires=ttl_ms is not None and ttl_ms >= 0,
            ttl_s=ttl_ms / 1000 if ttl_ms is not None and ttl_ms >= 0 else None,
            text=content.text,
            json=content.document,
            json_valid=content.is_json,
            length=content.length,
            size_bytes=count_of(await _optional(connection, "MEMORY", "USAGE", params.key)),
            encoding=text_of(await _optional(connection, "OBJECT", "ENCODING", params.key)) or None,
        )

    return await measured(ctx, params, KeyFacts, measure)


async def _optional(connection: RedisConnection, *command: str) -> Reply:
    """The reply to a command that some servers lack or forbid; None then."""
    try:
        return await connection.command(*command)
    except RedisRefusal:
        return None
