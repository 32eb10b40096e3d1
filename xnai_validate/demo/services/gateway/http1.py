"""HTTP/1.1 connections (RFC 9112): the state machine of h11 on an asyncio stream."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import h11

HEAD_BYTES = 65536
"""Longest head of a message."""
_READ_BYTES = 65536
_HOP_BY_HOP = frozenset(
    (
        b"connection",
        b"keep-alive",
        b"proxy-connection",
        b"te",
        b"trailer",
        b"transfer-encoding",
        b"upgrade",
        b"content-length",
    )
)
"""Header fields of one connection only, and the framing, which every hop states anew (RFC 9110, 7.6.1)."""

Fields = list[tuple[bytes, bytes]]
"""Header fields in the order and spelling in which they were received."""
Message = h11.Request | h11.Response | h11.InformationalResponse


class BadMessage(ValueError):
    """The peer did not send a valid HTTP/1 message."""


class LeavingReader(asyncio.StreamReader):
    """A stream reader whose event `gone` is set as soon as the peer leaves, also while no task reads."""

    def __init__(self) -> None:
        super().__init__(limit=HEAD_BYTES)
        self.gone = asyncio.Event()

    def feed_eof(self) -> None:
        """Called by the transport at the end of the stream."""
        super().feed_eof()
        self.gone.set()

    def set_exception(self, exc: Exception) -> None:
        """Called by the transport when the connection is lost."""
        super().set_exception(exc)
        self.gone.set()


class Connection:
    """One side of an HTTP/1.1 connection; `role` is `h11.SERVER` towards clients and `h11.CLIENT` towards upstreams."""

    def __init__(
        self,
        role: type[h11.SERVER] | type[h11.CLIENT],
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        self.reader, self.writer = reader, writer
        self._machine = h11.Connection(role, HEAD_BYTES)

    async def read_request(self) -> h11.Request | None:
        """Read the head of the next request; None if the client closed before one began. Raises BadMessage."""
        event = await self._event()
        if not isinstance(event, h11.Request):
            return None
        if field(event, b"transfer-encoding") and field(event, b"content-length"):
            raise BadMessage("a body of two lengths")  # ambiguous: refused before it is passed on (RFC 9112, 6.3)
        if not has_body(event):
            await self._event()  # the end of the message, so that the connection can be used again
        return event

    async def read_response(self) -> h11.Response | h11.InformationalResponse:
        """Read the head of the response, or of 101; other interim responses are skipped. Raises BadMessage."""
        while True:
            event = await self._event()
            if isinstance(event, h11.Response):
                return event
            if not isinstance(event, h11.InformationalResponse):
                raise BadMessage("the upstream closed without a response")
            if event.status_code == 101:
                return event

    async def body(self) -> AsyncIterator[bytes]:
        """The body of the message whose head was read, piece by piece as it arrives, without its framing.

        Raises BadMessage if it is cut short.
        """
        if self.is_read_to_end:
            return
        while not isinstance(event := await self._event(), h11.EndOfMessage):
            if not isinstance(event, h11.Data):
                raise BadMessage("the body is cut short")
            yield bytes(event.data)

    async def send(self, *events: h11.Event) -> None:
        """Write events; h11 adds the framing that the version of the peer allows."""
        for event in events:
            self.write(self._machine.send(event) or b"")
        await self.writer.drain()

    def write(self, data: bytes) -> None:
        """Write bytes as they are."""
        self.writer.write(data)

    async def read(self) -> bytes:
        """Read some bytes; empty at the end of the stream."""
        return await self.reader.read(_READ_BYTES)

    def next_message(self) -> bool:
        """Prepare for another message on this connection; False if it cannot carry one."""
        if self._machine.our_state is not h11.DONE or self._machine.their_state is not h11.DONE:
            return False
        self._machine.start_next_cycle()
        return True

    @property
    def is_read_to_end(self) -> bool:
        """Whether the message that the peer sends was read to its end."""
        return self._machine.their_state is not h11.SEND_BODY

    @property
    def unread(self) -> bytes:
        """Bytes after the last message, for whatever protocol comes next."""
        return bytes(self._machine.trailing_data[0])

    async def _event(self) -> h11.Event | type[h11.PAUSED]:
        """The next event. Raises BadMessage for bytes that are not an HTTP/1 message."""
        try:
            while (event := self._machine.next_event()) is h11.NEED_DATA:
                if self._machine.they_are_waiting_for_100_continue:
                    await self.send(h11.InformationalResponse(status_code=100, headers=[]))
                self._machine.receive_data(await self.read())
        except h11.RemoteProtocolError as error:
            raise BadMessage(str(error)) from error
        assert not isinstance(event, type) or event is h11.PAUSED
        return event


def field(message: Message, name: bytes) -> bytes:
    """The value of a header field, several lines joined by commas; empty if the message does not have it."""
    return b", ".join(value for key, value in message.headers if key == name)


def has_body(request: h11.Request) -> bool:
    """Whether a request announces a body."""
    return bool(field(request, b"transfer-encoding")) or field(request, b"content-length") not in (b"", b"0")


def content_length(message: Message) -> int | None:
    """The announced length of the body in bytes."""
    text = field(message, b"content-length")
    return int(text) if text else None


def end_to_end(message: Message) -> Fields:
    """The header fields that are passed on to the next hop."""
    named = {name.strip().lower() for name in field(message, b"connection").split(b",")}
    return [(key, value) for key, value in message.headers.raw_items() if key.lower() not in _HOP_BY_HOP | named]
