"""One request and its response on one connection."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from sys import intern
from time import perf_counter

import h11

from xnai_validate.model.dataclass import dataclass
from xnai_validate.model.errorkind import ErrorKind
from xnai_validate.wire.connect import Pipe
from xnai_validate.wire.failure import WireError
from xnai_validate.wire.http_body import Inflater, inflater
from xnai_validate.wire.http_request import Prepared, request_bytes, request_pieces
from xnai_validate.wire.http_upload import PIECE

HEAD_CAP = 64 * 1024
"""Bytes of a response's head; a larger one is refused."""
INTERIM_CAP = 100
"""Interim responses (1xx) before the response itself; more are refused."""
TURN = 256
"""Chunks of a body that are taken in before others may run: a server may send it byte by byte."""


@dataclass(frozen=True, slots=True)
class Head:
    """The status line and headers of a response."""

    status: int
    reason: str
    http_version: str
    """`1.1` or `1.0`."""
    headers: dict[str, str]
    """Names in lower case; several of one name are joined by a comma and a space."""


class Exchange:
    """A connection that carries one exchange after the other."""

    __slots__ = ("_h11", "_inflater", "_keep", "ended", "idle_since", "pipe", "server", "silent")

    def __init__(self, pipe: Pipe, keep: Callable[[Exchange], None]) -> None:
        self.pipe = pipe
        self.server: object = None
        """What the connection leads to, as `Prepared.server` says it."""
        self.silent = True
        """Whether no byte of the present response has arrived."""
        self.ended = False
        """Whether the present body was read to its end."""
        self.idle_since = 0.0
        self._keep = keep
        self._h11 = h11.Connection(h11.CLIENT, max_incomplete_event_size=HEAD_CAP)
        self._inflater: Inflater | None = None

    async def begin(self, prepared: Prepared) -> Head:
        """Send the request and read the response's head; closes the connection where that fails. Raises WireError."""
        self.server, self.silent, self.ended = prepared.server, True, False
        try:
            if len(prepared.body) <= PIECE:
                self.pipe.write(request_bytes(prepared, self._h11))
                head = await self._head()
            else:
                head = await self._upload(prepared)
        except BaseException:
            self.pipe.abort()
            raise
        self._inflater = inflater(head.headers) if prepared.method != "HEAD" else None
        return head

    async def _upload(self, prepared: Prepared) -> Head:
        """Send a long body as the server takes it. One that refuses meanwhile gets no more (RFC 9112 section 9.5)."""
        answer = asyncio.create_task(self._head())
        try:
            for piece in request_pieces(prepared, self._h11):
                self.pipe.write(piece)
                while (room := self.pipe.room) is not None and not _refused(answer):
                    waited = (room,) if answer.done() else (room, answer)
                    await asyncio.wait(waited, return_when=asyncio.FIRST_COMPLETED)
                if _refused(answer):
                    break
            return await answer
        finally:
            answer.cancel()
            await asyncio.wait((answer,))

    async def _head(self) -> Head:
        await self._more()
        interim = 0
        while interim <= INTERIM_CAP:
            event = self._next()
            if event is h11.NEED_DATA:
                await self._more()
            elif isinstance(event, h11.Response) or (
                isinstance(event, h11.InformationalResponse) and event.status_code == 101
            ):
                return _head(event)
            elif isinstance(event, h11.InformationalResponse):
                interim += 1
            elif isinstance(event, h11.ConnectionClosed):
                raise WireError(ErrorKind.RESET, "the connection was closed before a response")
        raise WireError(ErrorKind.PROTOCOL, f"more than {INTERIM_CAP} interim responses (1xx) and no other")

    def _next(self) -> object:
        try:
            return self._h11.next_event()
        except h11.RemoteProtocolError as error:
            if self.pipe.ended and not self.silent and "closed" in str(error):
                raise WireError(ErrorKind.RESET, "the connection was closed before the end of the response") from error
            kind = ErrorKind.TOO_LARGE if error.error_status_hint == 431 else ErrorKind.PROTOCOL
            raise WireError(kind, f"not HTTP as RFC 9112 wants it: {error}") from error

    async def _more(self) -> None:
        data = await self.pipe.read()
        if data:
            self.silent = False
        elif self._h11.their_state is h11.SEND_RESPONSE:
            raise WireError(ErrorKind.RESET, "the connection was closed before the end of the response's headers")
        self._h11.receive_data(data)

    async def read(self) -> bytes:
        """The next piece of the body, its coding undone: what one read of the socket gave; empty at the end."""
        if self._inflater is None:
            return await self._read_raw()
        while not self.ended or self._inflater.waiting:
            if not self._inflater.waiting:
                self._inflater.feed(await self._read_raw())
            piece = self._inflater.take()
            if self.ended and not self._inflater.waiting:
                piece += self._inflater.finish()
            if piece:
                return piece
        return b""

    async def _read_raw(self) -> bytes:
        pieces: list[bytes] = []
        while not self.ended:
            event = self._next()
            if isinstance(event, h11.Data):
                pieces.append(bytes(event.data))
                if len(pieces) % TURN == 0:
                    await asyncio.sleep(0)
            elif event is h11.NEED_DATA:
                if pieces:
                    break
                await self._more()
            else:  # EndOfMessage; PAUSED after 101; ConnectionClosed
                self.ended = True
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def close(self) -> None:
        """Keep the connection for another exchange where this one has ended well, else close it."""
        whole = self._h11.our_state is h11.DONE and self._h11.their_state is h11.DONE
        if whole and self.pipe.usable and not self._h11.trailing_data[0]:
            self._h11.start_next_cycle()
            self.idle_since = perf_counter()
            self._keep(self)
        else:
            self.pipe.abort()


def _refused(answer: asyncio.Task[Head]) -> bool:
    """Whether there is an answer, or none can come any more, and it is none for which the rest must be sent."""
    return answer.done() and (answer.cancelled() or answer.exception() is not None or answer.result().status >= 400)


def _head(event: h11.Response | h11.InformationalResponse) -> Head:
    headers: dict[str, str] = {}
    for raw_name, raw_value in event.headers:
        # Servers say the same names again and again, and a run keeps them all.
        name, value = intern(raw_name.decode("ascii", "replace")), raw_value.decode("utf-8", "replace")
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    return Head(event.status_code, event.reason.decode("utf-8", "replace"), event.http_version.decode("ascii"), headers)
