"""Read the content of a key of any type, within bounds; nothing is changed."""

from __future__ import annotations

from dataclasses import dataclass

from xnai_validate.kit import JsonValue
from xnai_validate.wire.content import document_of
from xnai_validate.wire.redis.connection import RedisConnection
from xnai_validate.wire.redis.replies import count_of, list_of, map_of, text_of

BYTES_CAP = 256 * 1024
ITEMS_CAP = 100

_LENGTH = {
    "string": "STRLEN",
    "list": "LLEN",
    "hash": "HLEN",
    "set": "SCARD",
    "zset": "ZCARD",
    "stream": "XLEN",
}


@dataclass(frozen=True, slots=True)
class Content:
    """The content of a key."""

    length: int | None
    """Bytes of a string, items of anything else."""
    text: str | None
    """A string; None for other types."""
    document: JsonValue
    """The string parsed as JSON; items of other types, the first 100."""
    is_json: bool | None
    """Whether the string is JSON, whole; None for other types."""


async def read_content(connection: RedisConnection, key: str, kind: str) -> Content:
    """The content of a key of a known type; empty for types of modules."""
    if kind not in _LENGTH:
        return Content(None, None, None, None)
    length = count_of(await connection.command(_LENGTH[kind], key))
    if kind == "string":
        text = text_of(await connection.command("GETRANGE", key, 0, BYTES_CAP - 1))
        document, is_json = document_of(text)
        return Content(length, text, document, is_json)
    return Content(length, None, await _items(connection, key, kind), None)


async def _items(connection: RedisConnection, key: str, kind: str) -> JsonValue:
    """Read the value of a key of a type with items, at most ITEMS_CAP of them; None for another type."""
    if kind == "list":
        return [text_of(item) for item in list_of(await connection.command("LRANGE", key, 0, ITEMS_CAP - 1))]
    if kind == "hash":
        pairs = list_of(await connection.command("HSCAN", key, 0, "COUNT", ITEMS_CAP))[1:]
        fields = list(map_of(pairs[0]).items())[:ITEMS_CAP] if pairs else []
        return {name: text_of(value) for name, value in fields}
    if kind == "set":
        members = list_of(await connection.command("SSCAN", key, 0, "COUNT", ITEMS_CAP))[1:]
        texts: list[JsonValue] = [text_of(member) for member in list_of(members[0] if members else None)]
        return texts[:ITEMS_CAP]
    if kind == "zset":
        scores = map_of(await connection.command("ZRANGE", key, 0, ITEMS_CAP - 1, "WITHSCORES"))
        return {member: _score(text_of(score)) for member, score in scores.items()}
    return None


def _score(text: str) -> JsonValue:
    """The score of a member; the text itself if it is not a number."""
    try:
        return float(text)
    except ValueError:
        return text
