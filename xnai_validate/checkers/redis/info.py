"""`redis.info`: the state and the limits of a server."""

from __future__ import annotations

import math
from collections.abc import Mapping
from time import perf_counter

from xnai_validate.checkers.redis._access import measured
from xnai_validate.checkers.redis._models import RedisFacts, RedisParams
from xnai_validate.kit import Context, Count, Mebibytes, Milliseconds, Ratio, Seconds, checker
from xnai_validate.wire.redis.client import redis_address
from xnai_validate.wire.redis.connection import RedisConnection
from xnai_validate.wire.redis.replies import RedisRefusal, list_of, text_of

MIB = 2**20
DATABASES_CAP = 100


class InfoFacts(RedisFacts):
    """Fields of INFO with units; null if the server does not give them. Of a cluster, those of the node itself."""

    latency_ms: Milliseconds | None = None
    """The time of one PING, just before."""
    server: str | None = None
    """`redis` or `valkey`."""
    version: str | None = None
    """The server's version."""
    mode: str | None = None
    """standalone, sentinel or cluster."""
    role: str | None = None
    """master or slave, as Redis writes it."""
    tls: bool | None = None
    """Whether we spoke TLS with it."""
    uptime_s: Seconds | None = None
    """Since the server started."""
    loading: bool | None = None
    """Whether it is still reading its data from disk."""
    used_memory_mib: Mebibytes | None = None
    """Memory in use."""
    maxmemory_mib: Mebibytes | None = None
    """The limit; 0 means no limit."""
    memory_ratio: float | None = None
    """Memory in use, as a part of the limit; null without a limit."""
    maxmemory_policy: str | None = None
    """What is evicted when the limit is reached."""
    fragmentation_ratio: float | None = None
    """Resident memory over used memory."""
    connected_clients: Count | None = None
    """Connections of clients."""
    blocked_clients: Count | None = None
    """Clients that wait in a blocking command."""
    maxclients: Count | None = None
    """The limit of connections."""
    clients_ratio: float | None = None
    """Connections, as a part of their limit."""
    rejected_connections: Count | None = None
    """Connections refused since the start because of that limit."""
    evicted_keys: Count | None = None
    """Keys evicted since the start."""
    expired_keys: Count | None = None
    """Keys expired since the start."""
    hit_ratio: Ratio | None = None
    """Share of key look-ups that found the key, since the start; null without look-ups."""
    rdb_last_save_ok: bool | None = None
    """Whether the last snapshot was written; if not, Redis may refuse writes."""
    aof_enabled: bool | None = None
    """Whether an append-only file is kept."""
    aof_last_write_ok: bool | None = None
    """Whether the last write to it succeeded."""
    connected_replicas: Count | None = None
    """Replicas of this server."""
    master_link_up: bool | None = None
    """Whether a replica is connected to its master; null on a master."""
    keys: dict[str, Count] | None = None
    """Database -> number of keys; empty databases are left out."""
    databases: Count | None = None
    """How many databases there are; null where CONFIG is not allowed."""


@checker("redis.info", expect={"error": None}, from_workers=True)
async def info(params: RedisParams, ctx: Context) -> InfoFacts:
    """Read the state and the limits of a Redis server, from INFO and CONFIG GET. Only reads.

    ::

        kind: redis.info
        expect: {role: master, maxmemory_policy: allkeys-lru, memory_ratio: {max: 0.9}, rdb_last_save_ok: true}
    """
    secure = redis_address(ctx.target).tls is not None

    async def measure(connection: RedisConnection) -> InfoFacts:
        """Read the state of the server and its latency."""
        started = perf_counter()
        await connection.command("PING")
        latency_ms = (perf_counter() - started) * 1000
        fields = _parse_info(text_of(await connection.command("INFO")))
        try:
            config = list_of(await connection.command("CONFIG", "GET", "databases"))
        except RedisRefusal:  # renamed or forbidden, as hosted servers do
            config = []
        databases = _count_of({"databases": text_of(config[1])}, "databases") if len(config) == 2 else None
        return _facts_of(fields, latency_ms, secure, databases)

    return await measured(ctx, params, InfoFacts, measure)


def _parse_info(text: str) -> dict[str, str]:
    """Parse the reply to INFO: `name:value` lines."""
    lines = (line.partition(":") for line in text.splitlines() if line and not line.startswith("#"))
    return {name: value for name, colon, value in lines if colon}


def _facts_of(fields: Mapping[str, str], latency_ms: float, secure: bool, databases: int | None) -> InfoFacts:
    """Return the facts of the fields of INFO; `secure`: the connection uses TLS."""
    used, limit = _count_of(fields, "used_memory"), _count_of(fields, "maxmemory")
    clients, most = _count_of(fields, "connected_clients"), _count_of(fields, "maxclients")
    hits, misses = _count_of(fields, "keyspace_hits"), _count_of(fields, "keyspace_misses")
    return InfoFacts(
        latency_ms=latency_ms,
        server=fields.get("server_name", "redis" if "redis_version" in fields else None),
        version=fields.get("valkey_version", fields.get("redis_version")),
        mode=fields.get("redis_mode", fields.get("server_mode")),
        role=fields.get("role"),
        tls=secure,
        uptime_s=_number(fields, "uptime_in_seconds"),
        loading=_flag_of(fields, "loading", "1"),
        used_memory_mib=None if used is None else used / MIB,
        maxmemory_mib=None if limit is None else limit / MIB,
        memory_ratio=used / limit if used is not None and limit else None,
        maxmemory_policy=fields.get("maxmemory_policy"),
        fragmentation_ratio=_number(fields, "mem_fragmentation_ratio"),
        connected_clients=clients,
        blocked_clients=_count_of(fields, "blocked_clients"),
        maxclients=most,
        clients_ratio=clients / most if clients is not None and most else None,
        rejected_connections=_count_of(fields, "rejected_connections"),
        evicted_keys=_count_of(fields, "evicted_keys"),
        expired_keys=_count_of(fields, "expired_keys"),
        hit_ratio=hits / (hits + misses) if hits is not None and misses is not None and hits + misses else None,
        rdb_last_save_ok=_flag_of(fields, "rdb_last_bgsave_status", "ok"),
        aof_enabled=_flag_of(fields, "aof_enabled", "1"),
        aof_last_write_ok=_flag_of(fields, "aof_last_write_status", "ok"),
        connected_replicas=_count_of(fields, "connected_slaves"),
        master_link_up=_flag_of(fields, "master_link_status", "up"),
        keys=_keys(fields),
        databases=databases,
    )


def _keys(fields: Mapping[str, str]) -> dict[str, int]:
    """`db0:keys=1,expires=0,avg_ttl=0` as `{"0": 1}`."""
    keys: dict[str, int] = {}
    for name, value in fields.items():
        number = name.removeprefix("db")
        if name.startswith("db") and number.isdecimal() and len(keys) < DATABASES_CAP:
            numbers = dict(part.partition("=")[::2] for part in value.split(","))
            keys[number] = _count_of(numbers, "keys") or 0
    return keys


def _count_of(fields: Mapping[str, str], name: str) -> int | None:
    """Return a field as an integer; None if it is absent or no number."""
    value = fields.get(name, "")
    return int(value) if value.isascii() and value.isdecimal() and len(value) < 20 else None


def _number(fields: Mapping[str, str], name: str) -> float | None:
    """A number that can be a time or a ratio; None for any other text."""
    try:
        number = float(fields[name])
    except (KeyError, ValueError):
        return None
    return number if 0 <= number < math.inf else None


def _flag_of(fields: Mapping[str, str], name: str, yes: str) -> bool | None:
    """Return whether a field has the value `yes`; None if it is absent."""
    return fields[name] == yes if name in fields else None
