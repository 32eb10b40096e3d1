"""`redis.keys`: all keys that match a pattern."""

from __future__ import annotations

from collections import Counter
from typing import Annotated

from xnai_validate.checkers.redis._access import measured
from xnai_validate.checkers.redis._models import RedisFacts, RedisParams
from xnai_validate.kit import (
    Context,
    Count,
    Field,
    Ge,
    JsonObject,
    JsonValue,
    Le,
    NotApplicable,
    Seconds,
    bounded,
    checker,
)
from xnai_validate.wire.content import document_of
from xnai_validate.wire.redis.connection import RedisConnection
from xnai_validate.wire.redis.replies import Reply, list_of, number_of, text_of

NAMES_CAP = 100
DOCUMENTS_CAP = 100
DOCUMENT_BYTES_CAP = 64 * 1024
NAME_CAP = 500
ROUND = 500


class KeysParams(RedisParams):
    """Which keys, and how many at most."""

    pattern: str
    """A pattern as Redis has it: `*` any text, `?` one character, `[ab]` one of these; a backslash makes them plain."""
    wanted: list[str] = Field(default_factory=list, max_length=1_000)
    """Names that must be among the matches."""
    skip_if_absent: bool = False
    """Skip the check if no key matches: for keys that exist only once something was kept."""
    max_keys: Annotated[int, Ge(1), Le(100_000)] = 1_000
    """How many matches are read at most."""
    max_rounds: Annotated[int, Ge(1), Le(100_000)] = 2_000
    """How many rounds of SCAN, of 500 keys each, are made at most."""


class KeysFacts(RedisFacts):
    """The keys that match."""

    count: Count | None = None
    """How many there are."""
    whole: bool | None = None
    """Whether all keys of the database were scanned, in a cluster those of every slot."""
    names: list[str] | None = None
    """Their names in order, the first 100."""
    missing: list[str] | None = None
    """Names in `wanted` that do not exist."""
    types: dict[str, Count] | None = None
    """Type -> number of keys."""
    without_ttl: list[str] | None = None
    """Keys that never expire, the first 100."""
    min_ttl_s: Seconds | None = None
    """The shortest time to live; null if no key expires."""
    max_ttl_s: Seconds | None = None
    """The longest."""
    invalid_json: list[str] | None = None
    """Strings whose content is not JSON, among the first 100 in order."""
    documents: JsonValue = None
    """Name -> content of the strings among the first 100 in order, where it is JSON."""


@checker("redis.keys", expect={"error": None, "missing": []}, from_workers=True)
async def keys(params: KeysParams, ctx: Context) -> KeysFacts:
    """Read all keys that match a pattern: types, times to live and JSON contents. Only reads.

    Keys are found by SCAN, which does not block the server; keys that are added or deleted meanwhile may be missed.
    In a cluster, every master is scanned::

        kind: redis.keys
        with: {pattern: "circuit_breaker:*", wanted: ["circuit_breaker:rag_api", "circuit_breaker:redis_cache"]}
        expect: {without_ttl: [], min_ttl_s: {min: 60s}, invalid_json: [], documents: {"$.*.state": {contains: closed}}}
    """

    async def measure(connection: RedisConnection) -> KeysFacts:
        """Scan for the keys, on every master of a cluster, and read their types and times to live."""
        masters, whole = await connection.masters()
        types: dict[bytes, str] = {}
        ttls: dict[bytes, int] = {}
        for master in masters:
            names, scanned = await _scan(master, params, params.max_keys - len(types))
            whole = whole and scanned
            await _read_types_and_ttls(master, sorted(names), types, ttls)
        if not types and params.skip_if_absent:
            raise NotApplicable(f"there is no key {params.pattern} yet")
        matching = sorted(types)
        documents, invalid = await _documents(connection, [name for name in matching if types[name] == "string"])
        living = [ttl / 1000 for ttl in ttls.values() if ttl >= 0]
        return KeysFacts(
            count=len(matching),
            whole=whole,
            names=[_decode_name(name) for name in matching[:NAMES_CAP]],
            missing=[name for name in params.wanted if name.encode() not in types],
            types=dict(Counter(types.values())),
            without_ttl=[_decode_name(name) for name in matching if ttls.get(name) == -1][:NAMES_CAP],
            min_ttl_s=min(living, default=None),
            max_ttl_s=max(living, default=None),
            invalid_json=invalid,
            documents=documents,
        )

    return await measured(ctx, params, KeysFacts, measure)


async def _scan(connection: RedisConnection, params: KeysParams, most: int) -> tuple[set[bytes], bool]:
    """The matching names on one server, at most `most`, and whether the scan was complete."""
    names: set[bytes] = set()
    cursor = "0"
    for _ in range(params.max_rounds):
        reply = list_of(await connection.command("SCAN", cursor, "MATCH", params.pattern, "COUNT", ROUND))
        if len(reply) != 2:
            break
        cursor = text_of(reply[0])
        for name in list_of(reply[1]):
            if isinstance(name, bytes):
                if len(names) >= most:
                    return names, False
                names.add(name)
        if cursor == "0":
            return names, True
    return names, False


async def _read_types_and_ttls(
    connection: RedisConnection, names: list[bytes], types: dict[bytes, str], ttls: dict[bytes, int]
) -> None:
    """Add name -> type, and name -> milliseconds to live (-1: for ever); skip keys that have gone by now."""
    for start in range(0, len(names), ROUND):
        part = names[start : start + ROUND]
        replies = await connection.pipeline([command for name in part for command in (("TYPE", name), ("PTTL", name))])
        for name, type_reply, ttl_reply in zip(part, replies[::2], replies[1::2], strict=True):
            kind, ttl_ms = text_of(type_reply), number_of(ttl_reply)
            if isinstance(type_reply, bytes) and kind != "none":
                types[name] = kind
                if ttl_ms is not None and ttl_ms >= -1:
                    ttls[name] = ttl_ms


async def _documents(connection: RedisConnection, names: list[bytes]) -> tuple[JsonObject, list[str]]:
    """Return the JSON documents of the first string keys by name, and the names of those that are not JSON."""
    documents: JsonObject = {}
    invalid: list[str] = []
    part = names[:DOCUMENTS_CAP]
    for start in range(0, len(part), 10):  # a few at a time: each may be as large as the cap
        batch = part[start : start + 10]
        replies: list[Reply] = await connection.pipeline(
            [("GETRANGE", name, 0, DOCUMENT_BYTES_CAP - 1) for name in batch]
        )
        for name, reply in zip(batch, replies, strict=True):
            document, is_json = document_of(text_of(reply)) if isinstance(reply, bytes) else (None, False)
            if is_json:
                documents[_decode_name(name)] = bounded(document)
            else:
                invalid.append(_decode_name(name))
    return documents, invalid


def _decode_name(name: bytes) -> str:
    """Decode the name of a key and cut it."""
    return name.decode("utf-8", "replace")[:NAME_CAP]
