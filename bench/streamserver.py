"""A server of event streams on loopback that costs as little as one can in Python; prints its port as its first line.

Every stream has the given number of token events, one an interval, and an event that ends it. The streams are served in
turns, each in its slot of the interval, so that events come evenly and each in a write of its own.
"""

from __future__ import annotations

import asyncio
import json
import resource
import sys
import time

HEAD = (
    b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\nCache-Control: no-cache\r\n"
    b"Transfer-Encoding: chunked\r\n\r\n"
)
SLOTS = 100


def _chunk(event: dict[str, object]) -> bytes:
    data = f"data: {json.dumps(event)}\n\n".encode()
    return b"%x\r\n%b\r\n" % (len(data), data)


class Streaming(asyncio.Protocol):
    """One connection: a stream for whatever is asked, and then the end of the connection."""

    __slots__ = ("left", "server", "transport")

    def __init__(self, server: Server) -> None:
        self.server = server
        self.left = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        if b"\r\n\r\n" in data:
            self.transport.write(HEAD)
            self.left = self.server.events
            self.server.join(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self.left = -1


class Server:
    """All streams, in their slots."""

    def __init__(self, events: int, interval_s: float) -> None:
        self.events, self.interval_s = events, interval_s
        self._slots: list[list[Streaming]] = [[] for _ in range(SLOTS)]
        self._next = 0
        self._token = _chunk({"type": "token", "content": "word "})
        self._done = _chunk({"type": "done", "tokens": events, "latency_ms": 1.0}) + b"0\r\n\r\n"

    def join(self, stream: Streaming) -> None:
        """Serve a stream, its first event in the slot that has the fewest."""
        min(self._slots, key=len).append(stream)

    def turn(self) -> None:
        """Serve the streams of the next slot."""
        slot = self._slots[self._next]
        self._next = (self._next + 1) % SLOTS
        going = []
        for stream in slot:
            if stream.left > 0:
                stream.left -= 1
                stream.transport.write(self._token)
                going.append(stream)
            elif stream.left == 0:
                stream.transport.write(self._done)
                stream.transport.close()
        slot[:] = going

    async def turns(self) -> None:
        """Serve for ever; a late turn is caught up."""
        due = time.monotonic()
        while True:
            due += self.interval_s / SLOTS
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            self.turn()


async def serve(events: int, interval_s: float) -> None:
    """Serve until the standard input ends, which it does with the process that started this one."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    loop = asyncio.get_running_loop()
    streams = Server(events, interval_s)
    server = await loop.create_server(lambda: Streaming(streams), "127.0.0.1", 0, backlog=4096)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    async with server:
        ended = asyncio.Event()
        loop.add_reader(sys.stdin.fileno(), ended.set)
        turning = asyncio.create_task(streams.turns())
        await ended.wait()
        turning.cancel()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1]), float(sys.argv[2])))
