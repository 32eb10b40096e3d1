"""`redis.plant`: a key that holds something else than the stack wrote."""

from __future__ import annotations

import json
from base64 import b64decode, b64encode

from xnai_validate.faults.redis._server import ServerUndo, admin, process_of, server_info
from xnai_validate.kit import (
    ActiveFault,
    FaultContext,
    Field,
    JsonObject,
    JsonValue,
    Params,
    Unmeasurable,
    fault,
    model_validator,
)
from xnai_validate.wire.content import document_of
from xnai_validate.wire.failure import WireError
from xnai_validate.wire.redis.connection import RedisConnection
from xnai_validate.wire.redis.replies import list_of, number_of, text_of

DESCRIPTION_CAP = 200
CONTENT_CAP = 64 * 1024
"""A key with more serialised content is refused: the undo record would have to hold it."""


class PlantParams(Params):
    """Which key, and what it holds meanwhile."""

    key: str
    """The name of the key; it holds a JSON object, or does not exist."""
    fields: JsonObject = Field(default_factory=dict)
    """Fields of the object -> their values; its other fields stay as they are."""
    now: list[str] = Field(default_factory=list)
    """Fields that get the time of the injection, in seconds since the epoch by the clock of the server."""
    absent: bool = False
    """Whether the key is gone instead, as after an eviction."""

    @model_validator(mode="after")
    def _verify_content(self) -> PlantParams:
        """Raise ValueError unless either a content or `absent` is set."""
        if self.absent == bool(self.fields or self.now):
            raise ValueError("set either what is planted (`fields`, `now`) or `absent: true`")
        return self


class PlantUndo(ServerUndo):
    """The key as it was before."""

    key: str
    dump: str | None
    """Its content as `DUMP` gives it, in base64; None if it did not exist."""
    expires_at_ms: int | None
    """When it expires, by the clock of the server; None if it does not."""
    planted: JsonObject
    """The fields that are changed -> their values meanwhile; empty if the key is removed."""


@fault("redis.plant", limit_s=600)
class Plant:
    """Change a key of Redis that holds a JSON object, or remove it: a circuit breaker that is open.

    For parts that take their state from Redis, and that no other way brings into that state. The key keeps its time to
    live; one that did not exist expires by itself. The revert restores content and time to live as they were, even if
    the stack wrote meanwhile. It is proven when no field has a planted value any more.

        under:
          - fault: redis.plant
            target: redis
            with: {key: "circuit_breaker:voice_stt", fields: {state: open, failure_count: 5}, now: [last_failure_time]}
    """

    def describe(self, params: PlantParams, target: str) -> str:
        """Return what it does to the target."""
        what = "is gone" if params.absent else f"holds other values of {', '.join(params.fields)}"
        return f"the key {params.key} of {target} {what}"[:DESCRIPTION_CAP]

    async def prepare(self, params: PlantParams, ctx: FaultContext) -> PlantUndo:
        """Read the key. Raises Unmeasurable if it holds no JSON object, or the planted values already."""
        async with admin(ctx) as connection:
            info = await server_info(connection)
            dump = await connection.command("DUMP", params.key)
            ttl_ms = number_of(await connection.command("PTTL", params.key))
            now_ms = round(await _time_s(connection) * 1000)
            before = await _object(connection, params.key)
        if dump is not None and (not isinstance(dump, bytes) or len(dump) > CONTENT_CAP):
            raise Unmeasurable(f"the key {params.key} is too large for the undo record, so it is not changed")
        if dump is not None and before is None:
            raise Unmeasurable(f"the key {params.key} does not hold a JSON object, so it cannot be changed")
        if dump is None and params.absent:
            raise Unmeasurable(f"the key {params.key} does not exist, so it cannot be removed")
        changed = {name: value for name, value in params.fields.items() if (before or {}).get(name) != value}
        if not changed and not params.absent:
            raise Unmeasurable(f"the key {params.key} holds these values already")
        return PlantUndo(
            server=info.get("run_id", ""),
            process=process_of(ctx),
            key=params.key,
            dump=b64encode(dump).decode() if isinstance(dump, bytes) else None,
            expires_at_ms=now_ms + ttl_ms if ttl_ms is not None and ttl_ms >= 0 else None,
            planted=changed,
        )

    async def inject(self, params: PlantParams, undo: PlantUndo, ctx: FaultContext) -> ActiveFault | None:
        """Write the present content with the fields changed."""
        async with admin(ctx, undo) as connection:
            if params.absent:
                await connection.command("DEL", params.key)
                return None
            now_s = await _time_s(connection)
            content = {**(await _object(connection, params.key) or {}), **params.fields}
            text = json.dumps({**content, **dict.fromkeys(params.now, now_s)})
            expiry = ("KEEPTTL",) if undo.dump is not None else ("PX", round(ctx.limit_s * 1000))
            await connection.command("SET", params.key, text, *expiry)
        return None

    async def revert(self, undo: PlantUndo, ctx: FaultContext) -> None:
        """Restore the key; to restore it twice, or without an injection, does no harm."""
        async with admin(ctx, undo) as connection:
            if undo.dump is None or await _has_expired(undo, connection):
                await connection.command("DEL", undo.key)
            else:
                restore = ("RESTORE", undo.key, undo.expires_at_ms or 0, b64decode(undo.dump), "REPLACE")
                await connection.command(*restore, *(("ABSTTL",) if undo.expires_at_ms else ()))

    async def fingerprint(self, undo: PlantUndo, ctx: FaultContext) -> JsonValue:
        """Return the fields that have planted values, and whether a key is gone that existed before."""
        async with admin(ctx, undo) as connection:
            content = await _object(connection, undo.key)
            gone = content is None and not undo.planted and not await _has_expired(undo, connection)
        planted: list[JsonValue] = [name for name, value in undo.planted.items() if (content or {}).get(name) == value]
        return {"planted": planted, "gone": gone}


async def _object(connection: RedisConnection, key: str) -> JsonObject | None:
    """The JSON object that a key holds; None if it does not exist or holds something else. Raises WireError."""
    try:
        document, _ = document_of(text_of(await connection.command("GET", key)))
    except WireError as failure:
        if "WRONGTYPE" in str(failure.detail):
            return None
        raise
    return document if isinstance(document, dict) else None


async def _has_expired(undo: PlantUndo, connection: RedisConnection) -> bool:
    """Whether the key would have expired by now. Raises WireError."""
    return undo.expires_at_ms is not None and undo.expires_at_ms <= await _time_s(connection) * 1000


async def _time_s(connection: RedisConnection) -> float:
    """Seconds since the epoch by the clock of the server. Raises WireError."""
    seconds, micros = (int(text_of(part)) for part in list_of(await connection.command("TIME")))
    return seconds + micros / 1e6
