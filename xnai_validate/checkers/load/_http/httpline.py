"""One HTTP/1.1 connection of a load: the same request again and again, at a cost of some 20 us each.

An asyncio protocol on httptools (llhttp), with the request's bytes made beforehand and without a task for each request.
No pipelining: one request at a time (RFC 9112 section 9.3). A BufferedProtocol, because reading into a
preallocated buffer takes a tenth of the time of asyncio's 256 KiB `recv`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from time import perf_counter
from typing import cast

import httptools

from xnai_validate.checkers.load._generator.drive import Drive
from xnai_validate.checkers.load._generator.tally import Tally
from xnai_validate.checkers.load._http.exchange import HEAD_CAP, Exchange, declares_length, final_head
from xnai_validate.checkers.load._http.odd_response import OddResponse, has_odd_coding
from xnai_validate.checkers.load._http.request_bytes import open_connection
from xnai_validate.kit import ErrorKind, JsonObject
from xnai_validate.wire.failure import WireError, wire_error
from xnai_validate.wire.http.connections.network import is_response
from xnai_validate.wire.http.request import IDEMPOTENT
from xnai_validate.wire.net.tls import client_context

SHORT_IDLE_S = 1.0
"""A request that is not idempotent is not sent on a connection that was idle for longer.

Servers close idle connections after some seconds, and the request may cross that on its way; one that may have an
effect must then not be sent twice (RFC 9110 section 9.2.2).
"""
SAME_CAP = 4096
"""Largest answer, in bytes, that is kept so that an identical next one need not be parsed."""


class HttpLine(asyncio.BufferedProtocol):
    """One connection, from connect to close; it connects when the first request is sent."""

    __slots__ = (
        "_choose",
        "_data",
        "_done",
        "_drive",
        "_exchange",
        "_head",
        "_head_whole",
        "_idempotent",
        "_idle_since",
        "_keep",
        "_odd",
        "_over",
        "_same",
        "_size",
        "_status",
        "_surplus",
        "_task",
        "_transport",
        "_used",
        "_waiting",
        "_write",
        "buffer",
        "intended",
        "parser",
        "sent",
        "tally",
    )

    tally: Tally
    intended: float
    sent: float
    _write: Callable[[bytes], None]

    def __init__(self, drive: Drive, exchange: Exchange, buffer: memoryview) -> None:
        """`buffer` may be shared by all lines of a loop: what is in it has been read when a callback returns."""
        self.buffer = buffer
        self.parser = self._new_parser()
        self._drive = drive
        self._exchange = exchange
        self._data = exchange.data
        self._choose = exchange.choose
        self._idempotent = exchange.prepared.method in IDEMPOTENT
        self._transport: asyncio.Transport | None = None
        self._task: asyncio.Task[None] | None = None
        self._waiting = False
        """Whether a request was sent whose answer has not ended."""
        self._over = False
        """Whether the drive hears nothing of it any more, but that it is closed."""
        self._used = False
        """Whether it has brought an answer."""
        self._idle_since = 0.0
        self._size = 0
        """Bytes of the present answer that have come."""
        self._head = b""
        """What has come of the present answer's head, where the answer did not come at once."""
        self._head_whole = False
        self._same = b""
        """The last answer, where it came at once and is short."""
        self._done = False
        self._status = 0
        self._keep = False
        """Whether the server keeps the connection open after this answer (keep-alive)."""
        self._surplus = False
        """Whether bytes came after the answer."""
        self._odd: OddResponse | None = None
        """The h11 parser of the current answer, if llhttp rejected it; else None."""

    def _new_parser(self) -> httptools.HttpResponseParser:
        """Return a parser for the next answer."""
        parser = httptools.HttpResponseParser(self)
        # As h11: within a body its bytes are gone when llhttp refuses them.
        parser.set_dangerous_leniencies(lenient_spaces_after_chunk_size=True)
        return parser

    @property
    def stale(self) -> bool:
        """Whether the next request should use a new connection."""
        return not self._idempotent and self._used and perf_counter() - self._idle_since > SHORT_IDLE_S

    def send(self) -> None:
        """Send the request; connects first where that was not done yet."""
        self._waiting = True
        self._size = 0
        if self._choose is not None:
            self._data = self._choose()
        if self._transport is not None:
            self._write(self._data)
        else:
            self._task = self._drive.tasks.create_task(self._dial())

    def details(self) -> JsonObject:
        """Nothing besides its status and times."""
        return {}

    def abort(self) -> None:
        """Close at once; afterwards only `closed` is reported."""
        self._over = True
        if self._transport is not None:
            self._transport.abort()
        elif self._task is not None:
            self._task.cancel()
        else:
            self._drive.closed(self)

    async def _dial(self) -> None:
        """Connect; report to the drive if that fails or is cancelled."""
        try:
            await self._connect()
        except WireError as failure:
            was_over, self._over = self._over, True
            self._drive.closed(self)
            if not was_over:
                self._drive.failed(self, failure.kind, failure.detail, connecting=True)
        except asyncio.CancelledError:
            if self._transport is None:
                self._drive.closed(self)
            raise

    async def _connect(self) -> None:
        """Connect this line to the server, with TLS if the url asks for it. Raises WireError."""
        prepared = self._exchange.prepared
        context = client_context(prepared.tls) if prepared.to.scheme == "https" else None
        name = prepared.tls_name
        sock = await open_connection(prepared, self._exchange.host)
        loop = asyncio.get_running_loop()
        try:
            await loop.create_connection(lambda: self, sock=sock, ssl=context, server_hostname=name)
        except OSError as error:
            sock.close()
            doing = "TLS handshake with" if context else "connecting to"
            raise wire_error(error, f"{doing} {prepared.to.host}:{prepared.to.port}") from error
        except BaseException:
            sock.close()
            raise

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Called by asyncio."""
        self._transport = cast(asyncio.Transport, transport)
        self._write = self._transport.write
        if self._over:
            self._transport.abort()
            return
        self._drive.opened()
        self._write(self._data)

    def get_buffer(self, sizehint: int) -> memoryview:
        """Called by asyncio."""
        return self.buffer

    def buffer_updated(self, nbytes: int) -> None:
        """Called by asyncio: bytes have come."""
        if not self._waiting:
            self._unasked()
            return
        data = bytes(self.buffer[:nbytes])
        if data == self._same and not self._size:
            # The same bytes as the last answer, in the same state of the parser: the result is the same.
            self._waiting = False
            if not self._idempotent:
                self._idle_since = perf_counter()
            self._drive.answered(self, self._status)
            return
        self._size += nbytes
        if self._odd is not None or (self._size == nbytes and not is_response(data)):
            self._feed_h11(data)
            return
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            self._fail(ErrorKind.PROTOCOL, "the server switched protocols without being asked to")
            return
        except httptools.HttpParserError as error:
            if not self._done:
                if len(self._head) + nbytes == self._size:  # all of the answer is at hand
                    self._feed_h11(self._head + data)
                else:
                    self._fail(ErrorKind.PROTOCOL, f"not HTTP as RFC 9112 wants it: {error}")
                return
            self._surplus = True
        if not self._head_whole and has_odd_coding(raw := self._head + data):
            self._done = False
            self._feed_h11(raw)
            return
        if self._size > self._exchange.answer_cap:
            self._fail(ErrorKind.TOO_LARGE, f"an answer has more than {self._exchange.answer_cap} bytes")
        elif self._done:
            self._answered(data)
        else:
            self._in_pieces(data)

    def _feed_h11(self, data: bytes) -> None:
        """Parse an answer that llhttp rejected with h11, which decides whether it is valid."""
        if self._odd is None:
            self._odd = OddResponse(self._exchange.prepared.method)
        try:
            status = self._odd.feed(data)
        except WireError as failure:
            self._odd = None
            self._fail(failure.kind, failure.detail)
            return
        if self._size > self._exchange.answer_cap:
            self._fail(ErrorKind.TOO_LARGE, f"an answer has more than {self._exchange.answer_cap} bytes")
        elif status is not None:
            self._status, self._keep, self._surplus = status, self._odd.reusable, False
            self._odd = None
            self.parser = self._new_parser()
            self._answered(b"")

    def _answered(self, data: bytes) -> None:
        """Finish an answer; `data` is the last chunk received, remembered if it is the whole answer."""
        self._waiting = self._done = False
        self._used = True
        if self._head:
            self._head, self._head_whole = b"", False
        if not self._idempotent:
            self._idle_since = perf_counter()
        if self._keep and not self._surplus:
            self._same = data if len(data) == self._size <= SAME_CAP else b""
            self._drive.answered(self, self._status)
        else:
            self.abort()
            self._drive.answered(self, self._status, keep=False)

    def _in_pieces(self, data: bytes) -> None:
        """Keep the head: it may declare that the answer ends where the connection does."""
        if self._head_whole:
            return
        self._head += data
        self._head_whole = final_head(self._head) is not None
        if not self._head_whole and len(self._head) > HEAD_CAP:
            self._fail(ErrorKind.TOO_LARGE, f"the head of an answer has more than {HEAD_CAP} bytes")

    def _fail(self, kind: ErrorKind, detail: str) -> None:
        """Close the connection and report the request as failed."""
        self.abort()
        self._drive.failed(self, kind, detail)

    def _unasked(self) -> None:
        """Close a connection on which something happened without a request, and report it as lost."""
        if not self._over:
            self.abort()
            self._drive.lost(self)

    def eof_received(self) -> None:
        """Called by asyncio: the server sends no more; asyncio closes the connection."""

    def connection_lost(self, exc: Exception | None) -> None:
        """Called by asyncio."""
        self._drive.closed(self)
        if self._over:
            return
        self._over = True
        if self._odd is not None and exc is None:
            self._end_h11(self._odd)
            return
        head = final_head(self._head)
        if not self._waiting:
            self._drive.lost(self)
        elif exc is None and head is not None and not declares_length(head):
            self._drive.answered(self, self.parser.get_status_code(), keep=False)
        elif not self._size and self._used and self._idempotent:
            self._drive.again(self)
        elif isinstance(exc, OSError):
            failure = wire_error(exc, "reading")
            self._drive.failed(self, failure.kind, failure.detail)
        else:
            where = "the end of the response" if self._size else "a response"
            self._drive.failed(self, ErrorKind.RESET, f"the connection was closed before {where}")

    def _end_h11(self, odd: OddResponse) -> None:
        """End an answer that h11 reads: the connection is over."""
        try:
            status = odd.feed(b"")
        except WireError as failure:
            self._drive.failed(self, failure.kind, failure.detail)
            return
        if status is None:
            self._drive.failed(self, ErrorKind.RESET, "the connection was closed before the end of the response")
        else:
            self._drive.answered(self, status, keep=False)

    def on_message_begin(self) -> None:
        """Called by httptools."""
        if self._done:
            self._surplus = True

    def on_message_complete(self) -> None:
        """Called by httptools, for interim responses (1xx) too."""
        parser = self.parser
        status = parser.get_status_code()
        if status >= 200:
            self._done, self._status = True, status
            # llhttp knows this only here; afterwards it has forgotten the message.
            self._keep = parser.should_keep_alive()


class HeadLine(HttpLine):
    """The same for HEAD: an answer ends with its head, whatever that announces (RFC 9110 section 9.3.2)."""

    __slots__ = ()

    def send(self) -> None:
        """Send the request."""
        self.parser = self._new_parser()  # the last one waits for a body that does not come
        super().send()

    def on_headers_complete(self) -> None:
        """Called by httptools."""
        self.on_message_complete()
