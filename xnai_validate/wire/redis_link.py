"""Redis's protocol on one connection, as a measurement wants it: the server's own words, bounded replies, nothing sent
unasked.

RESP is packed and parsed by hiredis (https://redis.io/docs/latest/develop/reference/protocol-spec/). Its client,
redis-py, would retry, reword and reconnect above it, and takes 9 MiB: memory that the host of a stack may not have.
"""

from __future__ import annotations

import ssl
from collections.abc import Sequence

import hiredis

from xnai_validate.model.errorkind import ErrorKind
from xnai_validate.wire.connect import Dialled, dial
from xnai_validate.wire.failure import WireError
from xnai_validate.wire.redis_bounds import Announced

REPLY_CAP = 16 * 1024 * 1024
"""Bytes of one reply; a larger one ends the connection."""

Argument = str | bytes | int | float
Reply = bytes | int | None | list["Reply"] | Exception
"""What a command gives: simple and bulk strings as bytes, errors as values whose text is the server's."""

_AUTH_CODES = {"NOAUTH", "WRONGPASS", "NOPERM"}
_MORE = object()
"""What the parser gives while a reply is not whole; RESP3 has a False of its own."""


class RedisRefusal(WireError):
    """The server answered with an error: `LOADING`, `READONLY`, `OOM`, `MISCONF`, `WRONGTYPE` ..."""

    def __init__(self, text: str) -> None:
        self.code = text.partition(" ")[0]
        """The first word of the error, by which clients tell errors apart."""
        super().__init__(ErrorKind.AUTH if self.code in _AUTH_CODES else ErrorKind.PROTOCOL, text)


class Link:
    """A connection over TCP or TLS that is opened once.

    RESP2, no HELLO, no CLIENT SETINFO, no retries and no time limits of its own: the caller's bounds all. A read or
    write that fails or is cancelled closes it, so that no half-read reply is taken for the next one.
    """

    def __init__(self, dialled: Dialled) -> None:
        self.connect_ms = dialled.connect_ms + (dialled.tls_ms or 0.0)
        """Name look-up, TCP and TLS handshake."""
        self._pipe = dialled.pipe
        self._gone = False
        self._parser = hiredis.Reader(replyError=RedisRefusal, errors="replace", notEnoughData=_MORE)
        self._announced = Announced(REPLY_CAP)

    @property
    def open(self) -> bool:
        """Whether the connection is there, as far as is known."""
        return not self._gone and not self._pipe.ended and not self._pipe.transport.is_closing()

    @property
    def quiet(self) -> bool:
        """Whether it is open and the server has neither left nor sent anything that nobody asked for."""
        return not self._gone and self._pipe.usable and not self._parser.has_data()

    async def send(self, commands: Sequence[Sequence[Argument]]) -> None:
        """Send commands together. Raises WireError where the connection is over on our side.

        Where the server has left, nothing is sent: what it said before it left is still to be read.
        """
        if self._gone:
            raise WireError(ErrorKind.RESET, "the connection is gone")
        try:
            self._pipe.write(b"".join(_pack(command) for command in commands))
            await self._pipe.drain()
        except BaseException:
            self.abort()
            raise

    async def receive(self) -> Reply:
        """The next reply; an error of the server is a value. Raises WireError."""
        if self._gone:
            raise WireError(ErrorKind.RESET, "the connection is gone")
        try:
            return await self._whole()
        except BaseException as error:
            self.abort()
            if isinstance(error, hiredis.HiredisError):
                raise WireError(ErrorKind.PROTOCOL, f"not Redis's protocol: {error}") from error
            raise

    async def _whole(self) -> Reply:
        size = 0
        self._announced.begin()
        while (reply := self._parser.gets()) is _MORE:
            if size > REPLY_CAP:
                raise WireError(ErrorKind.TOO_LARGE, f"a reply has more than {REPLY_CAP} bytes")
            data = await self._pipe.read()
            if not data:
                raise WireError(ErrorKind.RESET, "the connection was closed before the reply")
            size += len(data)
            self._announced.feed(data)
            self._parser.feed(data)
        whole: Reply = reply
        return whole

    def abort(self) -> None:
        """Close at once; nothing more is sent or read."""
        self._gone = True
        self._pipe.abort()

    async def aclose(self) -> None:
        """Close and wait until it is gone."""
        self._gone = True
        await self._pipe.aclose()


async def open_link(
    host: str,
    port: int,
    *,
    context: ssl.SSLContext | None,
    server_name: str | None,
    credentials: Sequence[str],
    db: int,
) -> Link:
    """Connect, authenticate where there are `credentials` (a password, or user and password), select the database.

    Raises WireError; RedisRefusal in the server's words.
    """
    link = Link(await dial(host, port, context=context, server_name=server_name))
    try:
        for command in (("AUTH", *credentials) if credentials else (), ("SELECT", db) if db else ()):
            if command:
                await link.send([command])
                reply = await link.receive()
                if isinstance(reply, RedisRefusal):
                    raise reply
    except BaseException:
        link.abort()
        raise
    return link


def _pack(command: Sequence[Argument]) -> bytes:
    packed: bytes = hiredis.pack_command(tuple(command))  # type: ignore[arg-type]  # its stub wants a tuple of one
    return packed
