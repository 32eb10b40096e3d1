"""`redis.stream`: a stream and its consumer groups."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from xnai_validate.checkers.redis._access import measured
from xnai_validate.checkers.redis._models import RedisFacts, RedisParams
from xnai_validate.kit import (
    Context,
    Count,
    Duration,
    ErrorKind,
    Ge,
    JsonObject,
    JsonValue,
    Le,
    Milliseconds,
    NotApplicable,
    Seconds,
    bounded,
    checker,
)
from xnai_validate.wire.failure import WireError
from xnai_validate.wire.redis.connection import RedisConnection
from xnai_validate.wire.redis.replies import Reply, count_of, list_of, map_of, text_of

GROUPS_CAP = 100
LAG_CAP = 1_000
PENDING_CAP = 100


class StreamParams(RedisParams):
    """Which stream."""

    key: str
    """Its key."""
    tail: Annotated[int, Ge(1), Le(100)] = 1
    """How many of the last entries to read."""
    job: Duration = 0.0
    """How long an entry may take from its last delivery to its acknowledgement, for `overdue_groups`."""
    deliveries: Annotated[int, Ge(1)] | None = None
    """How often an entry may be delivered until it is acknowledged, for `overdue_groups`; null means any number."""
    skip_if_absent: bool = False
    """Skip the check if there is no such key: for a stream that exists only once something was written to it."""


class StreamFacts(RedisFacts):
    """The stream; all but `exists` and `type` is null if the key is not a stream."""

    exists: bool | None = None
    """Whether there is such a key."""
    type: str | None = None
    """Its type; null if it does not exist."""
    length: Count | None = None
    """Entries in it."""
    first_id: str | None = None
    """The id of the oldest entry."""
    last_id: str | None = None
    """The id of the newest."""
    last_entry: JsonValue = None
    """The fields of the newest entry."""
    last_entry_age_s: Seconds | None = None
    """How old the newest entry is, by the clock of the server; ids are taken for times, as Redis makes them."""
    entries: JsonValue = None
    """The last entries, oldest first, each `{id, fields}`."""
    group_names: list[str] | None = None
    """Consumer groups."""
    groups: JsonValue = None
    """Group -> `{consumers, pending, lag, last_delivered_id}`."""
    pending: dict[str, Count] | None = None
    """Group -> entries that were delivered and not acknowledged."""
    max_pending: Count | None = None
    """The most of these in any group."""
    lag: dict[str, Count] | None = None
    """Group -> entries that were not delivered to it yet; before Redis 7 they are counted up to 1 000."""
    max_lag: Count | None = None
    """The most of these in any group."""
    consumers: dict[str, Count] | None = None
    """Group -> consumers that it knows. Before Redis 7.2 one that has received no entry yet is not known."""
    unread_groups: list[str] | None = None
    """Groups that no consumer reads: none is known, though entries wait or, from Redis 7.2 on, the first attempt to
    read would have made one known; sorted."""
    oldest_pending_ms: Milliseconds | None = None
    """The age of the oldest entry that is not acknowledged, in any group; null where none is pending."""
    overdue_groups: list[str] | None = None
    """Groups with an entry, among the first 100 pending, that was delivered longer than `job` ago, or more often than
    `deliveries`: a client that claims an entry again and again never lets it grow old. Sorted."""
    max_deliveries: Count | None = None
    """How often the entry was delivered, of the first 100 pending in each group, that was delivered most often; null
    where none is pending."""


@checker("redis.stream", expect={"error": None, "exists": True}, from_workers=True)
async def stream(params: StreamParams, ctx: Context) -> StreamFacts:
    """Read a stream and its consumer groups: length, newest entries, what is pending and lags. Only reads.

    ::

        kind: redis.stream
        with: {key: "xnai:alerts"}
        expect: {group_names: {contains: alert_handlers}, max_pending: {max: 10}, oldest_pending_ms: {max: 60s}}
    """

    async def measure(connection: RedisConnection) -> StreamFacts:
        """Read the stream's entries and its consumer groups."""
        kind = text_of(await connection.command("TYPE", params.key))
        if kind == "none" and params.skip_if_absent:
            raise NotApplicable(f"there is no stream {params.key} yet")
        if kind != "stream":
            return StreamFacts(exists=kind != "none", type=None if kind == "none" else kind)
        now_ms = await _server_ms(connection)
        newest = list_of(await connection.command("XREVRANGE", params.key, "+", "-", "COUNT", params.tail))
        entries = [_parse_entry(entry) for entry in reversed(newest)]
        oldest = list_of(await connection.command("XRANGE", params.key, "-", "+", "COUNT", 1))
        groups = await _groups(connection, params, now_ms)
        last_id = str(entries[-1]["id"]) if entries else None
        return StreamFacts(
            exists=True,
            type=kind,
            length=count_of(await connection.command("XLEN", params.key)),
            first_id=str(_parse_entry(oldest[0])["id"]) if oldest else None,
            last_id=last_id,
            last_entry=entries[-1]["fields"] if entries else None,
            last_entry_age_s=None if last_id is None else _age_ms(last_id, now_ms) / 1000,
            entries=list(entries),
            **groups,  # type: ignore[arg-type]
        )

    return await measured(ctx, params, StreamFacts, measure)


async def _groups(connection: RedisConnection, params: StreamParams, now_ms: float) -> dict[str, object]:
    """Return the facts about the consumer groups of a stream: their lag and their unacknowledged entries."""
    key, overdue = params.key, []
    deliveries: list[int] = []
    groups: JsonObject = {}
    pending: dict[str, int] = {}
    consumers: dict[str, int] = {}
    lag: dict[str, int] = {}
    oldest: list[float] = []
    for reply in list_of(await connection.command("XINFO", "GROUPS", key))[:GROUPS_CAP]:
        group = map_of(reply)
        name, delivered = text_of(group.get("name")), text_of(group.get("last-delivered-id"))
        pending[name] = count_of(group.get("pending")) or 0
        consumers[name] = count_of(group.get("consumers")) or 0
        behind = count_of(group.get("lag"))
        if behind is None:  # before Redis 7, and where the server would have to count
            newer = await connection.command("XRANGE", key, _after(delivered), "+", "COUNT", LAG_CAP)
            behind = len(list_of(newer))
        lag[name] = behind
        if pending[name]:
            smallest = list_of(await connection.command("XPENDING", key, name))[1:2]
            oldest += [_age_ms(text_of(entry_id), now_ms) for entry_id in smallest if entry_id is not None]
            rows = list_of(await connection.command("XPENDING", key, name, "-", "+", PENDING_CAP))
            entries = [_parse_pending(row) for row in rows]
            deliveries += [entry.deliveries for entry in entries]
            overdue += [name] if any(entry.is_overdue(params) for entry in entries) else []
        groups[name] = {
            "consumers": consumers[name],
            "pending": pending[name],
            "lag": behind,
            "last_delivered_id": delivered,
        }
    return {
        "group_names": list(groups),
        "groups": groups,
        "pending": pending,
        "max_pending": max(pending.values(), default=0),
        "lag": lag,
        "max_lag": max(lag.values(), default=0),
        "consumers": consumers,
        "unread_groups": await _unread(connection, consumers, lag),
        "oldest_pending_ms": max(oldest, default=None),
        "overdue_groups": sorted(overdue),
        "max_deliveries": max(deliveries, default=None),
    }


async def _unread(connection: RedisConnection, consumers: dict[str, int], lag: dict[str, int]) -> list[str]:
    """Return the groups without a consumer that must have one if it read; see `unread_groups`."""
    empty = sorted(name for name, count in consumers.items() if not count)
    if not empty or await _knows_idle_consumers(connection):
        return empty
    return [name for name in empty if lag[name]]


async def _knows_idle_consumers(connection: RedisConnection) -> bool:
    """Whether the server knows a consumer from its first attempt to read, as Redis 7.2 does; false if INFO fails."""
    try:
        info = text_of(await connection.command("INFO", "server"))
    except WireError:
        return False
    version = next((line[14:] for line in info.splitlines() if line.startswith("redis_version:")), "")
    numbers = [int(part) for part in version.split(".")[:2] if _is_number(part)]
    return numbers >= [7, 2]


@dataclass(frozen=True, slots=True)
class _Pending:
    """An entry that was delivered and not acknowledged."""

    idle_ms: int
    """The time since its last delivery."""
    deliveries: int
    """How often it was delivered."""

    def is_overdue(self, params: StreamParams) -> bool:
        """Whether it was delivered too long ago, or too often."""
        too_often = params.deliveries is not None and self.deliveries > params.deliveries
        return too_often or self.idle_ms > params.job * 1000


def _parse_pending(row: Reply) -> _Pending:
    """Parse a row of the extended form of XPENDING: id, consumer, idle time in ms, number of deliveries."""
    _, _, idle, deliveries = (*list_of(row), None, None, None, None)[:4]
    return _Pending(count_of(idle) or 0, count_of(deliveries) or 0)


def _after(entry_id: str) -> str:
    """The smallest id above this one, since exclusive ranges need Redis 6.2."""
    time_ms, _, sequence = entry_id.partition("-")
    return f"{time_ms}-{int(sequence) + 1}" if _is_number(sequence) else entry_id


def _parse_entry(reply: Reply) -> JsonObject:
    """Parse an entry: its id and its fields."""
    entry_id, fields = (*list_of(reply), None, None)[:2]
    texts = {name: text_of(value) for name, value in map_of(fields).items()}
    return {"id": text_of(entry_id), "fields": bounded(texts)}


async def _server_ms(connection: RedisConnection) -> float:
    """The time of the server, so that its clock and ours need not agree."""
    reply = [text_of(part) for part in list_of(await connection.command("TIME"))]
    if len(reply) != 2 or not all(map(_is_number, reply)):
        raise WireError(ErrorKind.PROTOCOL, "the reply to TIME is not two numbers, seconds and microseconds")
    return int(reply[0]) * 1000 + int(reply[1]) / 1000


def _age_ms(entry_id: str, now_ms: float) -> float:
    """Return the age of an entry by its id."""
    created_ms = entry_id.partition("-")[0]
    return max(0.0, now_ms - int(created_ms)) if _is_number(created_ms) else 0.0


def _is_number(text: str) -> bool:
    """Whether a text is a number as in ids and times: at most 64 bits."""
    return text.isascii() and text.isdecimal() and len(text) <= 20
