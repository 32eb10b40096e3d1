"""Redis over plain TCP or TLS: connections for checkers, a few kept for the next one."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import field
from types import TracebackType
from typing import Self
from urllib.parse import unquote, urlsplit

from xnai_validate.errors import NotApplicable, Unmeasurable
from xnai_validate.model.errorkind import ErrorKind
from xnai_validate.model.frozen import dataclass
from xnai_validate.model.target import Target
from xnai_validate.wire.failure import WireError
from xnai_validate.wire.redis_link import REPLY_CAP, Argument, Link, RedisRefusal, Reply, open_link
from xnai_validate.wire.tls import client_context

__all__ = [
    "REPLY_CAP", "Argument", "RedisClient", "RedisConnection", "RedisPlace", "RedisRefusal", "Reply", "connect_redis",
    "count_of", "list_of", "map_of", "number_of", "redis_place", "text_of",
]  # fmt: skip

IDLE_CAP = 4
"""Connections kept for each database."""


@dataclass(frozen=True, slots=True)
class RedisPlace:
    """Where a Redis server is and how one is admitted."""

    host: str
    port: int
    secure: bool
    username: str | None
    password: str | None = field(repr=False)
    db: int


def redis_place(target: Target) -> RedisPlace:
    """The place of a target (`redis://host:port/db`, `rediss://` for TLS); its password outranks one in the url.

    Raises NotApplicable without a url, Unmeasurable for one that is not Redis's.
    """
    if not target.url:
        raise NotApplicable(f"target {target.name} has no url")
    parts = urlsplit(target.url)
    number = parts.path.strip("/") or "0"
    if parts.scheme not in ("redis", "rediss") or not number.isdecimal():
        raise Unmeasurable(
            f"the url of target {target.name} is not one of Redis",
            hint="write redis://HOST:PORT/DB, or rediss:// for TLS",
        )
    password = target.password or (unquote(parts.password) if parts.password else None)
    username = unquote(parts.username) if parts.username else None
    return RedisPlace(target.host, target.port, parts.scheme == "rediss", username, password, int(number))


class RedisConnection:
    """One connection; one command at a time. A command that is cancelled or fails on the wire ends it."""

    def __init__(self, link: Link) -> None:
        self.connect_ms = link.connect_ms
        """How long connecting took, with TLS."""
        self.used = False
        """Whether the connection has served before: it was kept."""
        self._link = link

    @property
    def usable(self) -> bool:
        """Whether the connection is open, as far as is known."""
        return self._link.open

    @property
    def quiet(self) -> bool:
        """Whether the connection is open and nothing is left to read."""
        return self._link.quiet

    async def command(self, *arguments: Argument) -> Reply:
        """Send one command and read its reply. Raises WireError; RedisRefusal where the reply is an error."""
        [reply] = await self.pipeline([arguments])
        if isinstance(reply, RedisRefusal):
            raise reply
        return reply

    async def pipeline(self, commands: Sequence[Sequence[Argument]]) -> list[Reply]:
        """Send commands together and read their replies; errors of single commands are values. Raises WireError."""
        await self._link.send(commands)
        return [await self._link.receive() for _ in commands]

    async def receive(self) -> Reply:
        """The next reply or published message. Raises WireError."""
        return await self._link.receive()

    def abort(self) -> None:
        """Drop the connection."""
        self._link.abort()

    async def aclose(self) -> None:
        """Close the connection and wait until it is gone."""
        await self._link.aclose()


async def connect_redis(target: Target, *, db: int | None = None, password: bool = True) -> RedisConnection:
    """A new connection, authenticated unless `password` is false, with the database selected.

    Bounded by the caller's time limit. Raises WireError: `auth` where the password is refused, also because the server
    has none.
    """
    place = redis_place(target)
    secret = place.password if password else None
    try:
        link = await open_link(
            place.host,
            place.port,
            context=client_context(target.tls) if place.secure else None,
            server_name=target.tls.server_name,
            credentials=[one for one in (place.username, secret) if one] if secret else (),
            db=place.db if db is None else db,
        )
    except RedisRefusal as refusal:
        if "auth" in refusal.detail.lower() or "password" in refusal.detail.lower():
            raise WireError(ErrorKind.AUTH, refusal.detail) from refusal
        raise
    return RedisConnection(link)


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
            await connection.aclose()

    @asynccontextmanager
    async def connection(self, db: int | None = None) -> AsyncIterator[RedisConnection]:
        """A connection to a database (that of the url by default), kept afterwards if it is still in order.

        Only for commands that leave nothing behind in the connection: no SELECT, no MULTI, no SUBSCRIBE.
        """
        kept = self._idle.setdefault(db, [])
        connection = None
        while kept and connection is None:
            connection = kept.pop()
            if not connection.quiet:
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


def text_of(reply: Reply) -> str:
    """A reply as text: bytes that are no UTF-8 become U+FFFD, nothing becomes empty, a list is told by its size."""
    if isinstance(reply, bytes):
        return reply.decode("utf-8", "replace")
    if isinstance(reply, list | dict | set):
        return f"({len(reply)} items)"
    return "" if reply is None else str(reply)


def list_of(reply: Reply) -> list[Reply]:
    """A reply as a list; anything else is empty."""
    return reply if isinstance(reply, list) else []


def number_of(reply: Reply) -> int | None:
    """A reply as an integer; None for anything else."""
    return reply if isinstance(reply, int) else None


def count_of(reply: Reply) -> int | None:
    """A reply as a number of things; None for anything else."""
    return reply if isinstance(reply, int) and reply >= 0 else None


def map_of(reply: Reply) -> dict[str, Reply]:
    """A flat list of names and values, as RESP2 writes a mapping."""
    items = list_of(reply)
    return {text_of(name): value for name, value in zip(items[::2], items[1::2], strict=False)}
