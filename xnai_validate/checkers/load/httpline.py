"""One HTTP/1.1 connection of a load: the same request again and again, at a cost of some 20 us each.

An asyncio protocol on httptools (llhttp), with the request's bytes made beforehand and without a task for each request.
No pipelining: one request at a time (RFC 9112 section 9.3). Buffered, for to read into a buffer that is there already
takes a tenth of the time that `recv` with asyncio's 256 KiB takes.
"""

from __future__ import annotations

import asyncio
import re
from time import perf_counter
from typing import cast

import httptools

from xnai_validate.checkers.load.drive import Drive
from xnai_validate.checkers.load.tally import Tally
from xnai_validate.kit import ErrorKind
from xnai_validate.model.frozen import dataclass
from xnai_validate.wire.connect import open_socket
from xnai_validate.wire.failure import WireError, wire_error
from xnai_validate.wire.http_request import IDEMPOTENT, Prepared
from xnai_validate.wire.tls import client_context

SHORT_IDLE_S = 1.0
"""A request that may have an effect goes over no connection that was idle for longer.

Servers close idle connections after some seconds, and the request may cross that on its way; one that may have an
effect must then not be sent twice (RFC 9110 section 9.2.2).
"""
_LENGTH = re.compile(rb"\r\n(?:content-length|transfer-encoding)[ \t]*:", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is asked, and how much of an answer is read."""

    prepared: Prepared
    data: bytes
    """The request on the wire."""
    host: str
    """The host, or an address of it, so that it is not looked up for every connection."""
    answer_cap: int
    """Bytes of an answer, head and body, as they are on the wire."""


class HttpLine(asyncio.BufferedProtocol):
    """A connection from being dialled to its end; it dials when it is first sent."""

    __slots__ = (
        "_begun",
        "_buffer",
        "_data",
        "_done",
        "_drive",
        "_head",
        "_idempotent",
        "_idle_since",
        "_keep",
        "_only_head",
        "_over",
        "_parser",
        "_silent",
        "_size",
        "_surplus",
        "_task",
        "_transport",
        "_until_eof",
        "_used",
        "_waiting",
        "_wanted",
        "intended",
        "sent",
        "tally",
    )  # fmt: skip

    tally: Tally
    intended: float
    sent: float

    def __init__(self, drive: Drive, wanted: Wanted, buffer: memoryview) -> None:
        """`buffer` may be shared by all lines of a loop: what is in it has been read when a callback returns."""
        self._drive = drive
        self._wanted = wanted
        self._data = wanted.data
        self._buffer = buffer
        self._idempotent = wanted.prepared.method in IDEMPOTENT
        self._only_head = wanted.prepared.method == "HEAD"
        self._transport: asyncio.Transport | None = None
        self._task: asyncio.Task[None] | None = None
        self._parser = httptools.HttpResponseParser(self)
        self._waiting = False
        """Whether a request was sent whose answer has not ended."""
        self._over = False
        """Whether the drive hears nothing of it any more, but that it is closed."""
        self._used = False
        """Whether it has brought an answer."""
        self._idle_since = 0.0
        self._silent = True
        """Whether no byte of the present answer has come."""
        self._size = 0
        self._head = b""
        """What has come of the present answer's head, where that came in pieces."""
        self._begun = False
        """Whether the head is whole."""
        self._done = False
        self._keep = False
        """Whether the answer lets the connection live."""
        self._surplus = False
        """Whether bytes came after the answer."""
        self._until_eof = False
        """Whether the answer ends where the connection does (RFC 9112 section 6.3)."""

    @property
    def stale(self) -> bool:
        """Whether the next request had better go over another connection."""
        return not self._idempotent and self._used and perf_counter() - self._idle_since > SHORT_IDLE_S

    def send(self) -> None:
        """Send the request; connects first where that was not done yet."""
        self._waiting = self._silent = True
        self._size = 0
        if self._transport is not None:
            self._transport.write(self._data)
        else:
            self._task = self._drive.tasks.create_task(self._dial())

    def abort(self) -> None:
        """Close at once and tell no more than that it is closed."""
        self._over = True
        if self._transport is not None:
            self._transport.abort()
        elif self._task is not None:
            self._task.cancel()
        else:
            self._drive.closed(self)

    async def _dial(self) -> None:
        try:
            await self._connect()
        except WireError as failure:
            told, self._over = self._over, True
            self._drive.closed(self)
            if not told:
                self._drive.failed(self, failure.kind, failure.detail, connecting=True)
        except asyncio.CancelledError:
            if self._transport is None:
                self._drive.closed(self)
            raise

    async def _connect(self) -> None:
        prepared = self._wanted.prepared
        context = client_context(prepared.tls) if prepared.scheme == "https" else None
        name = (prepared.tls.server_name or prepared.host) if context else None
        sock, _ = await open_socket(self._wanted.host, prepared.port)
        loop = asyncio.get_running_loop()
        try:
            await loop.create_connection(lambda: self, sock=sock, ssl=context, server_hostname=name)
        except OSError as error:
            sock.close()
            doing = "TLS handshake with" if context else "connecting to"
            raise wire_error(error, f"{doing} {prepared.host}:{prepared.port}") from error
        except BaseException:
            sock.close()
            raise

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Called by asyncio."""
        self._transport = cast(asyncio.Transport, transport)
        if self._over:
            self._transport.abort()
            return
        self._drive.opened()
        self._transport.write(self._data)

    def get_buffer(self, sizehint: int) -> memoryview:
        """Called by asyncio."""
        return self._buffer

    def buffer_updated(self, nbytes: int) -> None:
        """Called by asyncio: bytes have come."""
        if not self._waiting:
            self._unasked()
            return
        self._silent = False
        self._size += nbytes
        try:
            self._parser.feed_data(self._buffer[:nbytes])
        except httptools.HttpParserUpgrade:
            self._fail(ErrorKind.PROTOCOL, "the server switched protocols, which nobody asked for")
            return
        except httptools.HttpParserError as error:
            if not self._done:
                self._fail(ErrorKind.PROTOCOL, f"not HTTP as RFC 9112 wants it: {error}")
                return
            self._surplus = True
        if self._size > self._wanted.answer_cap:
            self._fail(ErrorKind.TOO_LARGE, f"an answer has more than {self._wanted.answer_cap} bytes")
        elif self._done:
            self._answered()
        elif not self._begun:
            self._head += bytes(self._buffer[:nbytes])

    def _answered(self) -> None:
        self._waiting = self._done = self._begun = False
        self._used = True
        parser, transport = self._parser, self._transport
        assert transport is not None
        keep = self._keep and not self._surplus and not transport.is_closing()
        if self._head:
            self._head = b""
        if self._only_head:  # the old one waits for a body that does not come
            self._parser = httptools.HttpResponseParser(self)
        if not self._idempotent:
            self._idle_since = perf_counter()
        if not keep:
            self.abort()
        self._drive.answered(self, parser.get_status_code(), keep=keep)

    def _fail(self, kind: ErrorKind, detail: str) -> None:
        self.abort()
        self._drive.failed(self, kind, detail)

    def _unasked(self) -> None:
        if not self._over:
            self.abort()
            self._drive.lost(self)

    def eof_received(self) -> None:
        """Called by asyncio: the server says no more; asyncio closes the connection."""

    def connection_lost(self, exc: Exception | None) -> None:
        """Called by asyncio."""
        self._drive.closed(self)
        if self._over:
            return
        self._over = True
        if not self._waiting:
            self._drive.lost(self)
        elif self._until_eof and exc is None:
            self._drive.answered(self, self._parser.get_status_code(), keep=False)
        elif self._silent and self._used and self._idempotent:
            self._drive.again(self)
        elif isinstance(exc, OSError):
            failure = wire_error(exc, "reading")
            self._drive.failed(self, failure.kind, failure.detail)
        else:
            where = "a response" if self._silent else "the end of the response"
            self._drive.failed(self, ErrorKind.RESET, f"the connection was closed before {where}")

    def on_message_begin(self) -> None:
        """Called by httptools."""
        if self._done:
            self._surplus = True

    def on_headers_complete(self) -> None:
        """Called by httptools."""
        parser = self._parser
        if self._done or parser.get_status_code() < 200:
            return
        self._begun = True
        if self._only_head:
            self._done, self._keep = True, parser.should_keep_alive()
        elif not parser.should_keep_alive():
            # Rare, and only then it matters whether the end of the connection is that of the answer.
            self._until_eof = not _LENGTH.search(_final_head(self._head + bytes(self._buffer)))

    def on_message_complete(self) -> None:
        """Called by httptools."""
        if self._parser.get_status_code() >= 200:
            # llhttp knows this only here; afterwards it has forgotten the message.
            self._done, self._keep = True, self._parser.should_keep_alive()


def _final_head(data: bytes) -> bytes:
    """The head of the first response in the data that is not an interim one."""
    return next((head for head in data.split(b"\r\n\r\n") if not head.startswith(b"HTTP/1.1 1")), b"")
