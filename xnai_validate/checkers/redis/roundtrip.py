"""`redis.roundtrip`: whether Redis keeps what is written to it."""

from __future__ import annotations

import secrets
from contextlib import suppress
from time import perf_counter
from typing import Annotated

from xnai_validate.checkers.redis._access import measured
from xnai_validate.checkers.redis._models import RedisFacts, RedisParams
from xnai_validate.kit import Context, Duration, Le, Milliseconds, Size, checker, field_validator
from xnai_validate.wire.failure import WireError
from xnai_validate.wire.redis.connection import RedisConnection
from xnai_validate.wire.redis.replies import number_of, text_of

PREFIX = "xnai:validate:"


class RoundtripParams(RedisParams):
    """The key and the value to write."""

    ttl: Duration = 10.0
    """The time to live of the key, in case it cannot be deleted; at least a second."""
    size: Annotated[Size, Le(1024 * 1024)] = 64
    """Bytes of the value."""

    @field_validator("ttl")
    @classmethod
    def _verify_ttl(cls, value: float) -> float:
        """Return the value. Raises ValueError below a second."""
        if value < 1:
            raise ValueError("a time to live must be at least a second")
        return value


class RoundtripFacts(RedisFacts):
    """Each step; null if it was not reached."""

    written: bool | None = None
    """Whether the server accepted the value."""
    read_back: bool | None = None
    """Whether it returned the same value."""
    ttl_right: bool | None = None
    """Whether the key is going to expire in time."""
    deleted: bool | None = None
    """Whether the key could be deleted, and is gone."""
    total_ms: Milliseconds | None = None
    """The time of all steps, with connecting if no connection was open."""


@checker("redis.roundtrip", expect={"error": None, "read_back": True, "ttl_right": True, "deleted": True})
async def roundtrip(params: RoundtripParams, ctx: Context) -> RoundtripFacts:
    """Write a key of our own, read it back, look at its time to live and delete it.

    The key is `xnai:validate:` and 32 random hexadecimal digits; it expires by itself if the check is interrupted. A
    server that is full, read-only, or cannot save gives the error `protocol` with its own words::

        kind: redis.roundtrip
        expect: {total_ms: {max: 50}}
    """
    started = perf_counter()

    async def measure(connection: RedisConnection) -> RoundtripFacts:
        """Write a key, read it back, and delete it."""
        name, value = PREFIX + secrets.token_hex(16), secrets.token_hex((params.size + 1) // 2)[: params.size]
        ttl_ms = round(params.ttl * 1000)
        written = text_of(await connection.command("SET", name, value, "PX", ttl_ms, "NX")) == "OK"
        try:
            read_back = text_of(await connection.command("GET", name)) == value
            left_ms = number_of(await connection.command("PTTL", name))
            removed = number_of(await connection.command("DEL", name))
            gone = number_of(await connection.command("EXISTS", name)) == 0
        except WireError:
            with suppress(WireError):  # the connection may be gone; the key expires by itself
                await connection.command("DEL", name)
            raise
        return RoundtripFacts(
            written=written,
            read_back=read_back,
            ttl_right=left_ms is not None and 0 < left_ms <= ttl_ms,
            deleted=removed == 1 and gone,
            total_ms=(perf_counter() - started) * 1000,
        )

    return await measured(ctx, params, RoundtripFacts, measure)
