"""Redis for checkers: the address of a target, a new connection to it, and connections that are kept for the next use.

Connections are used below redis-py's client, which would retry commands, and decode and reword replies.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from types import TracebackType
from typing import Self

from xnai_validate.errors import NotApplicable, Unmeasurable
from xnai_validate.model.redis_url import RedisUrl
from xnai_validate.model.target import Target
from xnai_validate.wire.redis.connection import RedisAddress, RedisConnection

IDLE_CAP = 4
"""Connections kept for each database."""


def redis_address(target: Target) -> RedisAddress:
    """The address of a target (`redis://host:port/db`, `rediss://` for TLS); its password outranks one in the url.

    Raises NotApplicable without a url, Unmeasurable if it is not a url of Redis.
    """
    if not target.url:
        raise NotApplicable(f"target {target.name} has no url")
    try:
        url = RedisUrl.parse(target.url)
    except ValueError as error:
        raise Unmeasurable(
            f"the url of target {target.name} cannot be used: {error}",
            hint="write redis://HOST:PORT/DB, or rediss:// for TLS",
        ) from None
    return RedisAddress(
        url.host,
        url.port,
        tls=url.merged(target.tls) if url.secure else None,
        username=url.username,
        password=target.password or url.password,
        db=url.db or 0,
    )


async def connect_redis(
    target: Target, *, db: int | None = None, password: bool = True, tls: bool = True
) -> RedisConnection:
    """Open a connection, authenticate unless `password` is false, and select the database.

    `tls`: false for plain TCP even if the url is `rediss://`.

    Bounded by the caller's time limit. Raises WireError: `auth` if the server refuses the password, also because it
    has none.
    """
    address = redis_address(target)
    if db is not None:
        address = replace(address, db=db)
    if not password:
        address = replace(address, password=None)
    if not tls:
        address = replace(address, tls=None)
    connection = RedisConnection(address)
    await connection.connect()
    return connection


class RedisClient:
    """Connections to one target that live as long as the client: `await ctx.shared(("redis", target), ...)`."""

    def __init__(self, target: Target) -> None:
        self._target = target
        self._idle: dict[int | None, list[RedisConnection]] = {}

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        idle = [connection for kept in self._idle.values() for connection in kept]
        self._idle.clear()
        for connection in idle:
            await connection.disconnect()

    @asynccontextmanager
    async def connection(self, db: int | None = None) -> AsyncIterator[RedisConnection]:
        """A connection to a database (that of the url by default), kept afterwards if it is still in order.

        Only for commands that do not change the state of the connection: no SELECT, no MULTI, no SUBSCRIBE.
        """
        kept = self._idle.setdefault(db, [])
        connection = None
        while kept and connection is None:
            connection = kept.pop()
            if not connection.is_idle:
                connection.abort()
                connection = None
        if connection is None:
            connection = await connect_redis(self._target, db=db)
        try:
            yield connection
        finally:
            if connection.usable and len(kept) < IDLE_CAP:
                connection.used = True
                kept.append(connection)
            else:
                connection.abort()
