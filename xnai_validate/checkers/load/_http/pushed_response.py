"""A response that passes every piece to its reader as it comes, for thousands of responses at once.

An asyncio protocol on httptools (llhttp) instead of a task that reads: a response that waits for its next piece takes
some kilobytes and no time. Buffered, with one buffer for all: asyncio would make one of 256 KiB at every read.
"""

from __future__ import annotations

import asyncio
import socket
from contextlib import suppress
from time import perf_counter
from typing import Protocol, cast

import httptools

from xnai_validate.kit import ErrorKind
from xnai_validate.wire.failure import WireError, wire_error
from xnai_validate.wire.http.connections.network import HEAD_CAP, INTERIM_CAP
from xnai_validate.wire.http.content_coding import Decoder, decoder

BUFFER = 64 * 1024
TYPE_CAP = 200
"""Characters of a Content-Type that are kept."""
INFLATED_CAP = 8 * 1024 * 1024
"""Bytes that one read may become when its coding is undone."""


class Opens(Protocol):
    """Connects responses, and holds what they have in common: see `opener.Opener`."""

    buffer: memoryview
    """Where every read arrives; what is in it is copied before the next one."""
    accepted: str
    """The `Accept-Encoding` of the request."""

    @property
    def data(self) -> bytes:
        """The request on the wire."""

    def open(self, response: PushedResponse) -> None:
        """Connect for a response, at once or when others have connected."""

    def keep(self, response: PushedResponse, data: bytes) -> None:
        """Keep what was read for a response, with the time, until the other sockets that are ready have been read."""

    def pass_on(self) -> None:
        """Pass all that is kept to its responses, in the order in which it was read."""


class PushedResponse(asyncio.BufferedProtocol):
    """One request on a connection of its own, and its response; a subclass takes what it brings.

    Exactly one of `on_end` and `on_failure` is called, or neither where it was aborted; then `on_closed`.
    """

    __slots__ = (
        "_body",
        "_declared",
        "_decoder",
        "_head_left",
        "_interim",
        "_opener",
        "_parser",
        "_transport",
        "_unsent",
        "_until_close",
        "_whole",
        "content_type",
        "dialling",
        "over",
        "read_at",
        "status",
    )  # fmt: skip

    def __init__(self, opener: Opens) -> None:
        self.status = 0
        """The HTTP status, from `on_head` on."""
        self.content_type = ""
        """The Content-Type header, from `on_head` on."""
        self.over = False
        """Whether only `on_closed` is still to be reported."""
        self.read_at = 0.0
        """When what is being passed on, data or the end, was read from the socket (`perf_counter`)."""
        self.dialling: asyncio.Task[None] | None = None
        """What connects, while it does."""
        self._opener = opener
        """Opens the connection, when its turn has come."""
        self._transport: asyncio.Transport | None = None
        self._unsent: bytes | None = None
        """What is left of a request that was sent before asyncio had the connection; None if it was not."""
        self._parser: httptools.HttpResponseParser | None = None
        self._head_left = HEAD_CAP
        """Bytes that the head may still have."""
        self._interim = 0
        """Interim responses (1xx) so far."""
        self._decoder: Decoder | None = None
        self._declared: dict[str, str] = {}
        """The headers that declare how the body is to be read."""
        self._until_close = False
        """Whether the end of the connection is the end of the body."""
        self._whole = False
        """Whether the body came to its end."""
        self._body: list[bytes] = []
        """What has come of the body and was not handed on yet."""

    # Callbacks of a subclass.

    def on_connecting(self) -> None:
        """Called when the connection for this response is about to be opened."""

    def on_head(self) -> None:
        """Called when the headers have arrived."""
        raise NotImplementedError

    def on_piece(self, data: bytes) -> None:
        """Called with each decoded piece of the body: all that one read of the socket returned."""
        raise NotImplementedError

    def on_end(self) -> None:
        """Called at the end of a complete body."""
        raise NotImplementedError

    def on_failure(self, kind: ErrorKind, detail: str) -> None:
        """Called when the response is incomplete or missing."""
        raise NotImplementedError

    def on_closed(self) -> None:
        """Called when the socket is closed, or was never opened."""
        raise NotImplementedError

    # Methods for a subclass and its owner.

    def begin(self) -> None:
        """Connect and send the request."""
        self._opener.open(self)

    @property
    def unconnected(self) -> bool:
        """Whether no connection was opened for this response so far."""
        return self._transport is None

    def fail(self, kind: ErrorKind, detail: str) -> None:
        """Give the response up and report why; does nothing once it is over."""
        if not self.over:
            self._finish()
            self.on_failure(kind, detail)

    def abort(self) -> None:
        """Close at once; afterwards only the close is reported."""
        waiting = not self.over and self.dialling is None and self._transport is None
        self._finish()
        if self.dialling is not None:
            self.dialling.cancel()
        elif waiting:
            self.on_closed()

    def _finish(self) -> None:
        """Free the parser and the connection; nothing more is read."""
        self.over = True
        # The parser holds methods of this object: without it, this object is freed with its last reference.
        self._parser = None
        self._body.clear()
        if self._transport is not None:
            self._transport.abort()

    def send_early(self, sock: socket.socket) -> None:
        """Send the request over a socket that is connected, before asyncio has it.

        asyncio calls `connection_made` only in its next round, after all else that is due: virtual users that begin
        together would wait for each other.
        """
        if self.over:
            return
        self._unsent = data = self._opener.data
        with suppress(OSError):  # met again by the transport, which reports it
            self._unsent = data[sock.send(data) :]

    # Called by asyncio.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Called by asyncio."""
        self._transport = cast(asyncio.Transport, transport)
        if self.over:
            self._transport.abort()
            return
        self._parser = httptools.HttpResponseParser(self)
        self._transport.write(self._opener.data if self._unsent is None else self._unsent)

    def get_buffer(self, sizehint: int) -> memoryview:
        """Called by asyncio."""
        return self._opener.buffer

    def buffer_updated(self, nbytes: int) -> None:
        """Called by asyncio."""
        if self._parser is not None:
            self._opener.keep(self, bytes(self._opener.buffer[:nbytes]))

    def take(self, data: bytes, read_at: float) -> None:
        """Take the next data of the connection, read from the socket at `read_at` (`perf_counter`)."""
        parser, headed, self.read_at = self._parser, self.status, read_at
        if parser is None:
            return
        wrong: tuple[ErrorKind, str] | None = None
        try:
            parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            wrong = ErrorKind.PROTOCOL, "the server switched protocols without being asked to"
        except httptools.HttpParserError as error:
            if not self._whole:  # what follows the end is not looked at
                wrong = ErrorKind.PROTOCOL, f"not HTTP as RFC 9112 wants it: {error}"
        if not headed:
            if self.status:
                self.on_head()
            elif wrong is None:
                wrong = self._head_fault(len(data))
        if self._body and not self.over:
            self._pieces()
        if wrong is not None:
            self.fail(*wrong)
        elif self._whole:
            self._end_response()

    def _head_fault(self, nbytes: int) -> tuple[ErrorKind, str] | None:
        """Return the error for a head that is too large or has too many interim responses."""
        self._head_left -= nbytes
        if self._head_left < 0:
            return ErrorKind.TOO_LARGE, f"the response's headers have more than {HEAD_CAP} bytes"
        if self._interim > INTERIM_CAP:
            return ErrorKind.PROTOCOL, f"more than {INTERIM_CAP} interim responses (1xx) and no other"
        return None

    def eof_received(self) -> None:
        """Called by asyncio."""
        self._opener.pass_on()
        if not self.over:
            self.read_at = perf_counter()
            self._on_close(None)

    def connection_lost(self, exc: Exception | None) -> None:
        """Called by asyncio."""
        self._opener.pass_on()
        if not self.over:
            self.read_at = perf_counter()
            self._on_close(exc)
        self.on_closed()

    def _on_close(self, exc: Exception | None) -> None:
        """End the response at the close of the connection, or fail where it is not complete."""
        if isinstance(exc, OSError):
            failure = wire_error(exc, "reading")
            self.fail(failure.kind, failure.detail)
        elif self.status and self._until_close:
            self._end_response()
        else:
            where = "the end of the response" if self.status else "the end of the response's headers"
            self.fail(ErrorKind.RESET, f"the connection was closed before {where}")

    def _pieces(self) -> None:
        """Pass on the received pieces of the body, decoded."""
        body = self._body
        data = body[0] if len(body) == 1 else b"".join(body)
        body.clear()
        if self._decoder is None:
            if data:
                self.on_piece(data)
            return
        self._decoder.feed(data)
        try:
            inflated = _decode_all(self._decoder)
        except WireError as failure:
            self.fail(failure.kind, failure.detail)
            return
        if inflated:
            self.on_piece(inflated)

    def _end_response(self) -> None:
        """Pass on the rest of the decoded body and the end."""
        if self._decoder is not None and not self.over:
            try:
                rest = self._decoder.finish()
            except WireError as failure:
                self.fail(failure.kind, failure.detail)
                return
            if rest:
                self.on_piece(rest)
        if not self.over:
            self._finish()
            self.on_end()

    # Called by httptools.

    def on_message_begin(self) -> None:
        """Called by httptools."""
        self._declared.clear()

    def on_header(self, name: bytes, value: bytes) -> None:
        """Called by httptools."""
        known = _KNOWN.get(name.lower())
        if known is not None and not self.status:
            self._declared[known] = value.decode("latin-1")

    def on_headers_complete(self) -> None:
        """Called by httptools."""
        if self.status or self._parser is None:
            return
        status = self._parser.get_status_code()
        if status < 200:
            self._interim += 1
            return
        self.status = status
        declared = self._declared
        self.content_type = declared.get("content-type", "")[:TYPE_CAP]
        self._decoder = decoder(declared, self._opener.accepted)
        self._until_close = "content-length" not in declared and "transfer-encoding" not in declared
        self._declared = _NONE

    def on_body(self, data: bytes) -> None:
        """Called by httptools."""
        if not self._whole:
            self._body.append(data)

    def on_message_complete(self) -> None:
        """Called by httptools."""
        if self.status:
            self._whole = True


_NAMES = ("content-type", "content-encoding", "content-length", "transfer-encoding")
_KNOWN: dict[bytes, str] = {name.encode(): name for name in _NAMES}
_NONE: dict[str, str] = {}


def _decode_all(coding: Decoder) -> bytes:
    """Return all decoded bytes. Raises WireError beyond the cap."""
    pieces: list[bytes] = []
    size = 0
    while coding.waiting:
        piece = coding.take()
        size += len(piece)
        if size > INFLATED_CAP:
            raise WireError(ErrorKind.TOO_LARGE, f"{BUFFER} bytes of the body became more than {INFLATED_CAP}")
        pieces.append(piece)
    return b"".join(pieces)
