"""A connection of redis-py as a measurement wants it: the server's own words, bounded replies, nothing sent unasked.

Importing redis-py takes 100 ms; so `wire/redis/client.py` imports this module when the first connection is opened, and
the checkers name redis-py as `preload`.
"""

from __future__ import annotations

import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from time import perf_counter
from typing import Any

from redis._parsers import _AsyncHiredisParser
from redis.asyncio.connection import Connection
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import InvalidResponse, RedisError, ResponseError

from xnai_validate.model.error_kind import ErrorKind
from xnai_validate.wire.failure import WireError, wire_error
from xnai_validate.wire.net.connection import GOODBYE_S, open_socket
from xnai_validate.wire.redis.bounds import Announced
from xnai_validate.wire.redis.client import REPLY_CAP, RedisRefusal, Reply


class BoundedParser(_AsyncHiredisParser):
    """redis-py's parser on hiredis; it leaves errors in the server's words, and refuses a reply above the cap."""

    def __init__(self, socket_read_size: int) -> None:
        super().__init__(socket_read_size)
        self._announced = Announced(REPLY_CAP)

    @classmethod
    def parse_error(cls, response: str) -> ResponseError:
        """Called by redis-py: its own classes of errors lose the first word, and some of them end the connection."""
        return ResponseError(response)

    async def read_response(self, disable_decoding: bool = False, push_request: bool = False) -> Any:
        """Called by redis-py for each reply."""
        self._left = REPLY_CAP
        self._announced.begin()
        return await super().read_response(disable_decoding, push_request)

    async def read_from_socket(self) -> bool:
        """Called by redis-py where a reply is not whole yet. Raises WireError."""
        assert self._stream is not None
        data = await self._stream.read(self._read_size)
        if not data:
            raise WireError(ErrorKind.RESET, "the connection was closed before the reply")
        self._left -= len(data)
        if self._left < 0:
            raise WireError(ErrorKind.TOO_LARGE, f"a reply has more than {REPLY_CAP} bytes")
        self._announced.feed(data)
        self._reader.feed(data)  # type: ignore[attr-defined]  # a hiredis.Reader, which redis-py does not say
        return True


class Link(Connection):
    """A connection over TCP or TLS that is opened once, and authenticated where there is a password.

    RESP2, no HELLO, no CLIENT SETINFO, no retries and no time limits of its own: the caller's bounds all. A read or
    write that fails or is cancelled closes it, so that no half-read reply is taken for the next one.
    """

    def __init__(
        self,
        host: str,
        port: int,
        *,
        context: ssl.SSLContext | None,
        server_name: str | None,
        username: str | None,
        password: str | None,
        db: int,
    ) -> None:
        self.connect_ms = 0.0
        """Name look-up, TCP and TLS handshake."""
        self._context = context
        self._server_name = server_name or host
        self._sock: Any = None
        super().__init__(
            host=host,
            port=port,
            username=username,
            password=password,
            db=db,
            protocol=2,
            driver_info=None,
            parser_class=BoundedParser,
            retry=Retry(NoBackoff(), 0),
            socket_timeout=None,
            socket_connect_timeout=None,
        )

    async def _connect(self) -> None:
        """The socket is ours, for asyncio's own look-up of names cannot be cancelled."""
        started = perf_counter()
        self._sock, _ = await open_socket(self.host, self.port)
        try:
            await super()._connect()  # type: ignore[no-untyped-call]
        except OSError as error:
            doing = "TLS handshake with" if self._context else "connecting to"
            raise wire_error(error, f"{doing} {self.host}:{self.port}") from error
        self.connect_ms = (perf_counter() - started) * 1000

    def _connection_arguments(self) -> Mapping[str, Any]:
        """What redis-py gives to `asyncio.open_connection`."""
        if self._context is None:
            return {"sock": self._sock}
        return {
            "sock": self._sock,
            "ssl": self._context,
            "server_hostname": self._server_name,
            "ssl_shutdown_timeout": GOODBYE_S,
        }

    @property
    def open(self) -> bool:
        """Whether the connection is there, as far as is known."""
        return self._writer is not None and not self._writer.is_closing()

    async def quiet(self) -> bool:
        """Whether it is open and the server has neither left nor sent anything that nobody asked for."""
        return self.open and not await self.can_read()

    async def dial(self) -> None:
        """Connect, authenticate, select the database. Raises WireError; RedisRefusal in the server's words."""
        with _translated(f"connecting to {self.host}:{self.port}"):
            await self.connect()  # type: ignore[no-untyped-call]

    async def send(self, packed: bytes) -> None:
        """Send commands in their form on the wire. Raises WireError.

        Where the server has left, nothing is sent: what it said before it left is still to be read.
        """
        if not self.is_connected:  # redis-py would connect once more
            raise WireError(ErrorKind.RESET, "the connection is gone")
        if self.open:
            with _translated("sending"):
                await self.send_packed_command(packed)

    async def receive(self) -> Reply:
        """The next reply; an error of the server is a value. Raises WireError."""
        with _translated("reading"):
            try:
                reply: Reply = await self.read_response()
            except ResponseError as error:
                return RedisRefusal(str(error))
        return reply

    def abort(self) -> None:
        """Close at once; nothing more is sent or read."""
        writer, self._writer, self._reader = self._writer, None, None
        if writer is not None:
            writer.transport.abort()

    async def disconnect(self, *args: Any, **kwargs: Any) -> None:
        """Close and wait until it is gone; redis-py calls it where a read or write failed or was cancelled."""
        if self._writer is not None:
            self._writer.transport.abort()
        await super().disconnect(*args, **kwargs)


@contextmanager
def _translated(doing: str) -> Iterator[None]:
    """redis-py words the failures of the system anew and keeps them as the cause or context of its own."""
    try:
        yield
    except RedisError as error:
        raise _wire_error(error, doing) from error


def _wire_error(error: RedisError, doing: str) -> WireError:
    if isinstance(error, ResponseError):
        return RedisRefusal(str(error))
    cause = error.__cause__ or error.__context__
    if isinstance(cause, WireError):
        return cause
    if isinstance(cause, OSError):
        return wire_error(cause, doing)
    if isinstance(error, InvalidResponse):
        return WireError(ErrorKind.PROTOCOL, f"not Redis's protocol: {error}")
    return WireError(ErrorKind.PROTOCOL, f"{doing}: {error}")
