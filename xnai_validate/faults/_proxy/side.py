"""One side of a proxied connection: the client, or the target."""

from __future__ import annotations

import asyncio
import socket
import struct
from contextlib import suppress

CHUNK = 16 * 1024
"""Bytes that are read at once."""
CLOSE_S = 1.0
"""How long the peer may take to close its direction, after ours was closed."""
CONNECT_S = 10.0
"""How long connecting to the target may take."""


class Cut(Exception):
    """The connection is to be closed now, or reset."""

    def __init__(self, *, reset: bool) -> None:
        super().__init__("reset" if reset else "closed")
        self.reset = reset


class Side:
    """A connection to the client, or to the target."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        writer.transport.set_write_buffer_limits(high=0)  # so that `send` returns when the kernel has it

    async def read(self, most: int = CHUNK) -> bytes:
        """Return what has arrived, at most `most` bytes; empty at the end of the stream. Raises OSError."""
        return await self._reader.read(most)

    async def send(self, data: bytes) -> None:
        """Send data at once; the kernel has it when this returns. Raises OSError."""
        self._writer.write(data)
        await self._writer.drain()

    def end(self) -> None:
        """Close our direction of the connection; the peer may go on sending."""
        with suppress(OSError):
            if self._writer.can_write_eof():
                self._writer.write_eof()

    async def drain(self) -> None:
        """Read and drop data until the peer closes."""
        with suppress(OSError):
            while await self.read():
                pass

    async def close_gracefully(self) -> None:
        """Close so that what was sent arrives: a plain close while the peer still sends may lose it."""
        self.end()
        with suppress(TimeoutError):
            async with asyncio.timeout(CLOSE_S):
                await self.drain()
        self.close()

    def close(self) -> None:
        """Close now."""
        self._writer.close()

    def reset(self) -> None:
        """Close with RST: data that the peer has not read yet may be lost (RFC 9293 section 3.10.7.4)."""
        opened: socket.socket | None = self._writer.get_extra_info("socket")
        if opened is not None:
            with suppress(OSError):
                opened.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._writer.transport.abort()
