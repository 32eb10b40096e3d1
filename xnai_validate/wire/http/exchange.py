"""One request and its response on one connection."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from time import perf_counter
from typing import TypeVar

from xnai_validate.model.error_kind import ErrorKind
from xnai_validate.wire.failure import WireError
from xnai_validate.wire.http.body import Inflater, inflater
from xnai_validate.wire.http.http1 import Cut, Head, Malformed, Responses, TooLarge
from xnai_validate.wire.http.request import Prepared, request_bytes, request_pieces
from xnai_validate.wire.http.upload import PIECE
from xnai_validate.wire.net.connection import Pipe

INTERIM_CAP = 100
"""Interim responses (1xx) before the response itself; more are refused."""
TURN = 256
"""Chunks of a body that are taken in before others may run: a server may send it byte by byte."""


T = TypeVar("T")


class Exchange:
    """A connection that carries one exchange after the other."""

    __slots__ = ("_inflater", "_keep", "_responses", "_sent", "idle_since", "pipe", "server", "silent")

    def __init__(self, pipe: Pipe, keep: Callable[[Exchange], None]) -> None:
        self.pipe = pipe
        self.server: object = None
        """What the connection leads to, as `Prepared.server` says it."""
        self.silent = True
        """Whether no byte of the present response has arrived."""
        self.idle_since = 0.0
        self._keep = keep
        self._responses = Responses()
        self._sent = False
        """Whether the present request was sent to its end."""
        self._inflater: Inflater | None = None

    @property
    def ended(self) -> bool:
        """Whether the present body was read to its end."""
        return self._responses.ended

    async def begin(self, prepared: Prepared) -> Head:
        """Send the request and read the response's head; closes the connection where that fails. Raises WireError."""
        self.server, self.silent, self._sent = prepared.server, True, False
        self._responses.expect(prepared.method, upgrades=prepared.upgrades, closes=prepared.closes)
        try:
            if len(prepared.body) <= PIECE:
                self.pipe.write(request_bytes(prepared))
                self._sent = True
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
            for piece in request_pieces(prepared):
                self.pipe.write(piece)
                while (room := self.pipe.room) is not None and not _refused(answer):
                    waited = (room,) if answer.done() else (room, answer)
                    await asyncio.wait(waited, return_when=asyncio.FIRST_COMPLETED)
                if _refused(answer):
                    break
            else:
                self._sent = True
            return await answer
        finally:
            answer.cancel()
            await asyncio.wait((answer,))

    async def _head(self) -> Head:
        interim = 0
        while interim <= INTERIM_CAP:
            head = None if self.silent else self._understood(self._responses.head)
            if head is None:
                if not await self._more():
                    why = "the connection was closed before the end of the response's headers"
                    raise WireError(ErrorKind.RESET, why)
            elif head.status >= 200 or head.status == 101:
                return head
            else:
                interim += 1
        raise WireError(ErrorKind.PROTOCOL, f"more than {INTERIM_CAP} interim responses (1xx) and no other")

    def _understood(self, read: Callable[[], T]) -> T:
        """What was read of the response. Raises WireError where it is none."""
        try:
            return read()
        except Cut as error:
            raise WireError(ErrorKind.RESET, "the connection was closed before the end of the response") from error
        except Malformed as error:
            kind = ErrorKind.TOO_LARGE if isinstance(error, TooLarge) else ErrorKind.PROTOCOL
            raise WireError(kind, f"not HTTP as RFC 9112 wants it: {error}") from error

    async def _more(self) -> bool:
        """Take in what comes next; False where the connection has ended."""
        data = await self.pipe.read()
        if data:
            self.silent = False
        self._responses.feed(data)
        return bool(data)

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
            found = self._understood(self._take)
            pieces += found
            if len(found) == TURN:
                await asyncio.sleep(0)
            elif pieces:
                break
            elif not self.ended:
                await self._more()
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def _take(self) -> list[bytes]:
        return self._responses.take(TURN)

    def close(self) -> None:
        """Keep the connection for another exchange where this one has ended well, else close it."""
        if self._sent and self._responses.reusable and self.pipe.usable:
            self.idle_since = perf_counter()
            self._keep(self)
        else:
            self.pipe.abort()


def _refused(answer: asyncio.Task[Head]) -> bool:
    """Whether there is an answer, or none can come any more, and it is none for which the rest must be sent."""
    return answer.done() and (answer.cancelled() or answer.exception() is not None or answer.result().status >= 400)
