"""A lean HTTP server that stands still on demand and keeps its own record of what it did; prints its port first.

It obeys lines on its standard input. `plain`: answer, and record nothing. `stall EVERY FOR`: from the first request on,
stand still for the last FOR seconds of every EVERY, as a process does in a long collection of garbage, and record when
each request was read and when its answer was written. `report RATE`: print what was recorded, as JSON:

* `answered`: latencies of the requests that came, in ms. The k-th request that was read was due k/RATE seconds after
  the schedule's beginning, for that is what a client with a schedule of RATE a second intends; its latency is from then
  to when its answer was written, by the clock of this process. The schedule began as early as it must have, so that no
  request was read before it was due: usually when the first was read, which may have been late.
* `users`: latencies, in ms, that users would have met who came RATE times a second, whatever the client did: those who
  came while it stood still waited to the end of that, the others for nothing.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from typing import cast

BODY = b'{"status":"healthy"}'
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\nConnection: keep-alive\r\n\r\n%s" % (len(BODY), BODY)
END = b"\r\n\r\n"


class Record:
    """The record of the server since its last command."""

    def __init__(self) -> None:
        self.requested = False
        self._turn = 0
        self.begin(0.0, 0.0)

    def begin(self, every_s: float, for_s: float) -> None:
        """Forget everything; stand still from now on where `for_s` is not zero."""
        self._turn += 1
        self.every_s, self.for_s = every_s, for_s
        self.requested = for_s > 0
        self.read: list[float] = []
        self.written: list[float] = []
        self.stalls: list[tuple[float, float]] = []

    def first(self, loop: asyncio.AbstractEventLoop) -> None:
        """The first request was read: the times of standing still count from it."""
        begun, turn = time.perf_counter(), self._turn

        def stall(number: int) -> None:
            if not self.requested or turn != self._turn:
                return
            started = time.perf_counter()
            time.sleep(self.for_s)
            self.stalls.append((started, time.perf_counter()))
            loop.call_later(begun + (number + 1) * self.every_s - self.for_s - time.perf_counter(), stall, number + 1)

        loop.call_later(self.every_s - self.for_s, stall, 1)

    def report(self, rate: float) -> dict[str, list[float]]:
        """The latencies, in ms, sorted."""
        if not self.read:
            return {"answered": [], "users": []}
        begun = min(at - number / rate for number, at in enumerate(self.read))
        answered = [(at - begun - number / rate) * 1000 for number, at in enumerate(self.written)]
        users = []
        first = self.read[0]
        for number in range(int((self.read[-1] - first) * rate) + 1):
            due = first + number / rate
            users.append(next(((end - due) * 1000 for start, end in self.stalls if start <= due < end), 0.0))
        return {"answered": sorted(answered), "users": sorted(users)}


class Answering(asyncio.Protocol):
    """Answers every request, which has no body, with the same document."""

    def __init__(self, record: Record) -> None:
        self._record = record
        self._rest = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        data = self._rest + data
        count = data.count(END)
        self._rest = data[data.rfind(END) + len(END) :] if count else data
        record = self._record
        if record.requested and count:
            if not record.read:
                record.first(asyncio.get_running_loop())
            record.read += [time.perf_counter()] * count
        self._transport.write(ANSWER * count)
        if record.requested:
            record.written += [time.perf_counter()] * count


async def serve() -> None:
    """Serve until the standard input ends, which it does with the process that started this one."""
    loop = asyncio.get_running_loop()
    record = Record()
    server = await loop.create_server(lambda: Answering(record), "127.0.0.1", 0, backlog=1024)
    _print_line(str(server.sockets[0].getsockname()[1]))
    ended = loop.create_future()

    def obey() -> None:
        match sys.stdin.readline().split():
            case []:
                loop.remove_reader(sys.stdin)
                ended.set_result(None)
            case ["plain"]:
                record.begin(0.0, 0.0)
            case ["stall", every_s, for_s]:
                record.begin(float(every_s), float(for_s))
            case ["report", rate]:
                record.requested = False
                _print_line(json.dumps(record.report(float(rate))))

    loop.add_reader(sys.stdin, obey)
    async with server:
        await ended


def _print_line(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    try:
        import uvloop
    except ImportError:
        asyncio.run(serve())
    else:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(serve())
