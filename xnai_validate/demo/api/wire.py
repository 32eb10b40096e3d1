"""HTTP/1.1 to the other parts of the stack (RFC 9112): one connection a request, closed once nobody waits for it.

Small on purpose, on asyncio streams: leaving a request closes its socket at once, and a streamed token costs one line
read. Header and line sizes are bounded by the stream reader's limit, bodies by `BODY_LIMIT_BYTES`; time limits are
the caller's.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

BODY_LIMIT_BYTES = 1 << 20
_HEADERS_LIMIT = 64


class WireError(Exception):
    """A part cannot be reached, broke off, or does not speak HTTP."""


class WireTimeout(WireError):
    """A part did not begin to answer in time."""


class Reply:
    """An answer whose head has been read; its body is chunked or has a length."""

    def __init__(self, reader: asyncio.StreamReader, status: int, length: int | None) -> None:
        self.status = status
        self._reader = reader
        self._length = length
        self._buffer = b""

    async def body(self) -> bytes:
        """The whole body. Raises `WireError`."""
        with _broken_off():
            if self._length is not None:
                return await self._reader.readexactly(min(self._length, BODY_LIMIT_BYTES))
            while chunk := await self._chunk():
                self._buffer += chunk
            return self._buffer

    async def line(self) -> bytes:
        """The next line of a chunked body; raises `WireError` where the body ends without one."""
        with _broken_off():
            while b"\n" not in self._buffer:
                chunk = await self._chunk()
                if not chunk:
                    raise WireError("the answer ended early")
                self._buffer += chunk
        line, _, self._buffer = self._buffer.partition(b"\n")
        return line

    async def _chunk(self) -> bytes:
        """The next chunk (RFC 9112, 7.1); empty at the end."""
        size = int((await self._reader.readuntil(b"\r\n")).partition(b";")[0], 16)
        if size + len(self._buffer) > BODY_LIMIT_BYTES:
            raise WireError("the answer is too large")
        return (await self._reader.readexactly(size + 2))[:-2]


@asynccontextmanager
async def request(
    port: int, method: str, path: str, body: bytes | None = None, *, timeout_s: float = 5.0
) -> AsyncIterator[Reply]:
    """Send a request to a loopback port and read the head of its answer; the connection ends with the block.

    `timeout_s` is for connecting and for the head of the answer, each. Raises `WireError`. A JSON body goes with its
    content type.
    """
    with _broken_off():
        async with asyncio.timeout(timeout_s):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        with _broken_off():
            async with asyncio.timeout(timeout_s):
                writer.write(_head(method, path, body) + (body or b""))
                await writer.drain()
                reply = await _reply(reader)
        yield reply
    finally:
        writer.close()


@contextmanager
def _broken_off() -> Iterator[None]:
    """Say of any way in which reading fails that the part broke off."""
    try:
        yield
    except TimeoutError as error:
        raise WireTimeout("no answer in time") from error
    except (OSError, EOFError, asyncio.LimitOverrunError, ValueError, IndexError) as error:
        raise WireError("broke off") from error


async def _reply(reader: asyncio.StreamReader) -> Reply:
    """Read the status line and the headers."""
    status = int((await reader.readuntil(b"\r\n")).split(b" ", 2)[1])
    length: int | None = None
    for _ in range(_HEADERS_LIMIT):
        name, _, value = (await reader.readuntil(b"\r\n")).rstrip().partition(b":")
        if not name:
            return Reply(reader, status, length)
        if name.lower() == b"content-length":
            length = int(value)
    raise WireError("too many headers")


def _head(method: str, path: str, body: bytes | None) -> bytes:
    """The request line and headers."""
    length = f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n" if body is not None else ""
    return f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n{length}Connection: close\r\n\r\n".encode()
