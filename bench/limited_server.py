"""An HTTP server of a known capacity; prints its port as its first line.

Arguments: what limits it, and to how many requests a second.

* `bucket`: more are refused with 503 (a token bucket that holds 2 % of a second's requests); answers come at once.
* `worker`: one worker with a fixed time for each request; those that come meanwhile queue.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Callable
from typing import cast

END = b"\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
BUSY = b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n"
BURST_S = 0.02


class Bucket:
    """Admits a number of requests a second."""

    def __init__(self, rate: float) -> None:
        self._rate = rate
        self._most = self._tokens = max(1.0, rate * BURST_S)
        self._filled_at = time.monotonic()

    def answer(self, transport: asyncio.Transport) -> None:
        """Answer or refuse a request."""
        now = time.monotonic()
        self._tokens = min(self._most, self._tokens + (now - self._filled_at) * self._rate)
        self._filled_at = now
        admitted = self._tokens >= 1
        self._tokens -= admitted
        transport.write(OK if admitted else BUSY)


class Worker:
    """Answers one request after the other, by a timetable: a late tick of the host takes none of its capacity."""

    def __init__(self, rate: float) -> None:
        self._each_s = 1 / rate
        self._free_at = 0.0

    def answer(self, transport: asyncio.Transport) -> None:
        """Answer a request when its turn is over."""
        now = time.monotonic()
        self._free_at = max(self._free_at, now) + self._each_s
        asyncio.get_running_loop().call_later(self._free_at - now, transport.write, OK)


class Connection(asyncio.Protocol):
    """One connection."""

    def __init__(self, limit: Bucket | Worker) -> None:
        self._limit = limit
        self._rest = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        *requests, self._rest = (self._rest + data).split(END)
        for _ in requests:
            self._limit.answer(self._transport)


async def serve(limit: Bucket | Worker) -> None:
    """Serve until the standard input ends, which it does with the process that started this one."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Connection(limit), "127.0.0.1", 0, backlog=1024)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    async with server:
        ended = asyncio.Event()
        loop.add_reader(sys.stdin.fileno(), ended.set)
        await ended.wait()


if __name__ == "__main__":
    kinds: dict[str, Callable[[float], Bucket | Worker]] = {"bucket": Bucket, "worker": Worker}
    asyncio.run(serve(kinds[sys.argv[1]](float(sys.argv[2]))))
