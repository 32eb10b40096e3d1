"""One end of a proxied connection."""

from __future__ import annotations

import asyncio
import socket
import struct
from contextlib import suppress

CHUNK = 16 * 1024
"""Bytes that are read at once."""
LEAVE_S = 1.0
"""How long the other end may take to close, once it was told that nothing more comes."""
DIAL_S = 10.0


class Cut(Exception):
    """The connection is to end now."""

    def __init__(self, *, reset: bool) -> None:
        super().__init__("reset" if reset else "closed")
        self.reset = reset


class Side:
    """A connection to the client, or to the target."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        writer.transport.set_write_buffer_limits(high=0)  # so that `send` returns when the kernel has it

    async def read(self, most: int = CHUNK) -> bytes:
        """What has come, up to so many bytes; empty when nothing more comes. Raises OSError."""
        return await self._reader.read(most)

    async def send(self, data: bytes) -> None:
        """Pass it on at once; returns when the kernel has taken it. Raises OSError."""
        self._writer.write(data)
        await self._writer.drain()

    def end(self) -> None:
        """Tell the other end that nothing more comes from here; it may go on sending."""
        with suppress(OSError):
            if self._writer.can_write_eof():
                self._writer.write_eof()

    async def swallow(self) -> None:
        """Read and forget until the other end closes."""
        with suppress(OSError):
            while await self.read():
                pass

    async def leave(self) -> None:
        """Close in peace: what was sent arrives, which it might not if the other end were still sending."""
        self.end()
        with suppress(TimeoutError):
            async with asyncio.timeout(LEAVE_S):
                await self.swallow()
        self.close()

    def close(self) -> None:
        """Close now."""
        self._writer.close()

    def reset(self) -> None:
        """Close with RST: what was not yet read at the other end may be lost (RFC 9293, 3.10.7.4)."""
        opened: socket.socket | None = self._writer.get_extra_info("socket")
        if opened is not None:
            with suppress(OSError):
                opened.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._writer.transport.abort()
