"""Redis over plain TCP or TLS: connections for checkers, a few kept for the next one.

Each connection is one of redis-py (`wire/redis/link.py`), which speaks the protocol, authenticates and parses by
hiredis. It is used one floor below its client, where nothing is retried, decoded or reworded. Importing redis-py takes
100 ms: it happens when the first connection is opened, or before the first check where a checker names it as `preload`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from types import TracebackType
from typing import TYPE_CHECKING, Self
from urllib.parse import unquote, urlsplit

import hiredis

from xnai_validate.errors import NotApplicable, Unmeasurable
from xnai_validate.model.error_kind import ErrorKind
from xnai_validate.model.target import Target
from xnai_validate.wire.failure import WireError
from xnai_validate.wire.net.tls import client_context

if TYPE_CHECKING:
    from xnai_validate.wire.redis.link import Link

REPLY_CAP = 16 * 1024 * 1024
"""Bytes of one reply; a larger one ends the connection."""
IDLE_CAP = 4
"""Connections kept for each database."""

Argument = str | bytes | int | float
Reply = bytes | int | None | list["Reply"] | Exception
"""What a command gives: simple and bulk strings as bytes, errors as values whose text is the server's."""

_AUTH_CODES = {"NOAUTH", "WRONGPASS", "NOPERM"}


class RedisRefusal(WireError):
    """The server answered with an error: `LOADING`, `READONLY`, `OOM`, `MISCONF`, `WRONGTYPE` ..."""

    def __init__(self, text: str) -> None:
        self.code = text.partition(" ")[0]
        """The first word of the error, by which clients tell errors apart."""
        super().__init__(ErrorKind.AUTH if self.code in _AUTH_CODES else ErrorKind.PROTOCOL, text)


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

    async def quiet(self) -> bool:
        """Whether the connection is open and nothing is left to read."""
        return await self._link.quiet()

    async def command(self, *arguments: Argument) -> Reply:
        """Send one command and read its reply. Raises WireError; RedisRefusal where the reply is an error."""
        [reply] = await self.pipeline([arguments])
        if isinstance(reply, RedisRefusal):
            raise reply
        return reply

    async def pipeline(self, commands: Sequence[Sequence[Argument]]) -> list[Reply]:
        """Send commands together and read their replies; errors of single commands are values. Raises WireError."""
        await self._link.send(b"".join(_pack(command) for command in commands))
        return [await self._link.receive() for _ in commands]

    async def receive(self) -> Reply:
        """The next reply or published message. Raises WireError."""
        return await self._link.receive()

    def abort(self) -> None:
        """Drop the connection."""
        self._link.abort()

    async def aclose(self) -> None:
        """Close the connection and wait until it is gone."""
        await self._link.disconnect()


def _pack(command: Sequence[Argument]) -> bytes:
    """The command on the wire; redis-py would split a first argument at its spaces."""
    packed: bytes = hiredis.pack_command(tuple(command))  # type: ignore[arg-type]  # its stub wants a tuple of one
    return packed


async def connect_redis(target: Target, *, db: int | None = None, password: bool = True) -> RedisConnection:
    """A new connection, authenticated unless `password` is false, with the database selected.

    Bounded by the caller's time limit. Raises WireError: `auth` where the password is refused, also because the server
    has none.
    """
    from xnai_validate.wire.redis.link import Link

    place = redis_place(target)
    secret = place.password if password else None
    link = Link(
        place.host,
        place.port,
        context=client_context(target.tls) if place.secure else None,
        server_name=target.tls.server_name,
        username=place.username if secret else None,
        password=secret,
        db=place.db if db is None else db,
    )
    try:
        await link.dial()
    except RedisRefusal as refusal:
        link.abort()
        if "auth" in refusal.detail.lower() or "password" in refusal.detail.lower():
            raise WireError(ErrorKind.AUTH, refusal.detail) from refusal
        raise
    except BaseException:
        link.abort()
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
            if not await connection.quiet():
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
