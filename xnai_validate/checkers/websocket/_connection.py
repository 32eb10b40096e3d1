"""One WebSocket connection (RFC 6455), step by step: the protocol of `websockets` (its sans-I/O layer) on our socket.

Its asyncio client would do, but for bounds: it keeps empty fragments and unread pongs without limit, and it resolves
names in a way that cannot be cancelled.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from time import perf_counter
from typing import TYPE_CHECKING, Literal

from xnai_validate.checkers.websocket._models import Message
from xnai_validate.kit import ErrorKind
from xnai_validate.wire.failure import WireError
from xnai_validate.wire.net.connection import Pipe

if TYPE_CHECKING:
    from websockets.client import ClientProtocol
    from websockets.protocol import Event

CLOSE_S = 2.0
"""How long the peer may take to answer our closing."""
QUEUE_CAP = 1_000
"""Messages that may wait unread before the connection is given up."""

UNREAD_CAP = 4 * 1024 * 1024
"""Bytes that may wait for a peer that floods us with pings and reads none of the pongs."""
TURN = 16 * 1024
"""Bytes that are parsed before other tasks get a turn of the event loop."""
PARTS_CAP = 10_000
"""Fragments of one message: empty ones get past the bound on its size."""


@dataclass(frozen=True, slots=True)
class Closing:
    """How the connection ended."""

    by: Literal["server", "client", "network"]
    """Who sent the first close frame; `network` where the connection ended without one."""
    code: int | None
    """The code of the close frame that the server sent."""
    reason: str


class WebSocketClosed(Exception):
    """The server closed, or the connection is gone, while we waited; see `WebSocket.closing`."""


class WebSocket:
    """An open connection; every wait is bounded by the caller, and `abort` may be called at any time."""

    def __init__(self, protocol: ClientProtocol, pipe: Pipe, events: Iterable[Event]) -> None:
        """`events` are those that came along with the handshake."""
        self._protocol = protocol
        self._pipe = pipe
        self._messages: deque[Message] = deque()
        self._pongs: set[bytes] = set()
        self._parts: list[bytes] = []
        self._binary = False
        self._unparsed = b""  # read from the socket, not parsed yet
        self._sent = 0
        self._handshake_events = list(events)
        self._ended = False

    def send(self, message: Message) -> None:
        """Send text in a text frame, or bytes in a binary frame; raises WebSocketClosed."""
        from websockets.exceptions import ConnectionClosed, InvalidState

        is_text = isinstance(message, str)
        data = message.encode("utf-8", "surrogatepass") if isinstance(message, str) else message
        self._sent += len(data)
        try:
            (self._protocol.send_text if is_text else self._protocol.send_binary)(data)
        except (InvalidState, ConnectionClosed) as error:
            raise WebSocketClosed from error
        self._flush()

    async def receive(self) -> Message:
        """The next message, whole: text, or the bytes of a binary one.

        Raises WebSocketClosed; WireError where what comes is too large or not as RFC 6455 requires.
        """
        while not self._messages:
            await self._receive_some()
        return self._messages.popleft()

    async def ping(self) -> float:
        """Milliseconds until our ping was answered; messages that come meanwhile are kept. Raises as `receive` does."""
        from websockets.exceptions import ConnectionClosed, InvalidState

        mark = b"xnai"
        self._pongs.discard(mark)
        started = perf_counter()
        try:
            self._protocol.send_ping(mark)
        except (InvalidState, ConnectionClosed) as error:
            raise WebSocketClosed from error
        self._flush()
        while mark not in self._pongs:
            await self._receive_some()
        return (perf_counter() - started) * 1000

    async def close(self) -> None:
        """Close as RFC 6455 section 7 requires, and wait at most two seconds for the server's part of it."""
        from websockets.exceptions import ConnectionClosed, InvalidState

        try:
            if not self._ended:
                self._protocol.send_close(1000)
                self._flush()
                async with asyncio.timeout(CLOSE_S):
                    while True:
                        await self._receive_some()
        except (TimeoutError, WebSocketClosed, WireError, InvalidState, ConnectionClosed):
            pass  # `closing` has how it ended
        finally:
            self.abort()

    def abort(self) -> None:
        """Drop the connection."""
        self._ended = True
        self._pipe.abort()

    @property
    def closing(self) -> Closing:
        """How the connection ended, or would if it ended now."""
        received, sent = self._protocol.close_rcvd, self._protocol.close_sent
        code, reason = (received.code, received.reason[:200]) if received else (None, "")
        if received is not None and self._protocol.close_rcvd_then_sent:
            return Closing("server", code, reason)
        return Closing("client" if sent is not None else "network", code, reason)

    def _flush(self) -> None:
        """Write what the protocol wants to send."""
        waiting = b"".join(self._protocol.data_to_send())
        if waiting:
            self._pipe.write(waiting)

    def _require_reading_peer(self) -> None:
        """Raises WireError if the peer sends and does not read: the pongs that we owe it would pile up in memory."""
        if self._pipe.transport.get_write_buffer_size() > UNREAD_CAP + self._sent:
            raise WireError(ErrorKind.TOO_LARGE, f"the server leaves more than {UNREAD_CAP} bytes of answers unread")

    async def _receive_some(self) -> None:
        """Handle what arrives next, `TURN` bytes at most: a server may send a hundred thousand frames at once.

        Raises WebSocketClosed once the connection has ended and no message is left; WireError as `receive` does.
        """
        if self._ended:
            raise WebSocketClosed
        events, self._handshake_events = self._handshake_events, []
        if not events:
            if self._unparsed:
                await asyncio.sleep(0)
            else:
                self._unparsed = await self._pipe.read()
            data, self._unparsed = self._unparsed[:TURN], self._unparsed[TURN:]
            if data:
                self._protocol.receive_data(data)
            else:
                self._protocol.receive_eof()
                self._ended = True
            events = self._protocol.events_received()
        self._take(events)
        self._flush()
        self._require_reading_peer()
        self._note_end()
        if self._ended and not self._messages:
            raise WebSocketClosed

    def _note_end(self) -> None:
        """Note that the connection has ended, if it has. Raises WireError where a frame broke the protocol."""
        broken = self._protocol.parser_exc
        if self._protocol.close_rcvd is not None:
            self._ended = True
        elif not self._ended and broken is not None and self._protocol.close_sent is not None:
            self._ended = True
            kind = ErrorKind.TOO_LARGE if self._protocol.close_sent.code == 1009 else ErrorKind.PROTOCOL
            raise WireError(kind, f"not WebSocket as RFC 6455 requires: {broken}")

    def _take(self, events: Iterable[Event]) -> None:
        """Take in frames: note pongs, and put the fragments of messages together.

        Raises WireError beyond the bounds.
        """
        from websockets.frames import Frame, Opcode

        for event in events:
            if not isinstance(event, Frame):
                continue
            data = bytes(event.data)
            if event.opcode is Opcode.PONG:
                self._pongs = {data}
            elif event.opcode in (Opcode.TEXT, Opcode.BINARY, Opcode.CONT):
                if event.opcode is not Opcode.CONT:
                    self._binary = event.opcode is Opcode.BINARY
                self._parts.append(data)
                if len(self._parts) > PARTS_CAP:
                    raise WireError(ErrorKind.TOO_LARGE, f"a message has more than {PARTS_CAP} fragments")
                if event.fin:
                    whole = b"".join(self._parts)
                    self._parts.clear()
                    self._messages.append(whole if self._binary else self._text(whole))
        if len(self._messages) > QUEUE_CAP:
            raise WireError(ErrorKind.TOO_LARGE, f"more than {QUEUE_CAP} messages wait unread")

    def _text(self, data: bytes) -> str:
        """A text message; one that is not UTF-8 fails the connection (RFC 6455 section 8.1)."""
        try:
            return data.decode("utf-8")
        except UnicodeDecodeError as error:
            self._protocol.fail(1007, "a text message is not UTF-8")
            self._flush()
            self._ended = True
            raise WireError(
                ErrorKind.PROTOCOL, f"not WebSocket as RFC 6455 requires: a text message is not UTF-8: {error}"
            ) from error
