"""A static HTTP server on loopback that costs as little as one can in Python; prints its port as its first line."""

from __future__ import annotations

import asyncio
import sys

import httptools

BODY = b'{"status":"healthy","version":"0.1.0","components":{"redis":true,"llm":true}}'
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n" % len(BODY)
KEEP = HEAD + b"Connection: keep-alive\r\n\r\n" + BODY
"""Announced, since ab closes the connection otherwise."""
LAST = HEAD + b"Connection: close\r\n\r\n" + BODY


class Answering(asyncio.Protocol):
    """Answers every request, whatever its path, with the same document."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._parser = httptools.HttpRequestParser(self)

    def data_received(self, data: bytes) -> None:
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError:
            self._transport.close()

    def on_message_complete(self) -> None:
        """Called by the parser at the end of a request."""
        if self._parser.should_keep_alive():
            self._transport.write(KEEP)
        else:
            self._transport.write(LAST)
            self._transport.close()


async def serve() -> None:
    """Serve until the standard input ends, which it does with the process that started this one."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Answering, "127.0.0.1", 0, backlog=1024)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    async with server:
        ended = loop.create_future()
        loop.add_reader(sys.stdin.fileno(), lambda: None if ended.done() else ended.set_result(None))
        await ended


if __name__ == "__main__":
    asyncio.run(serve())
