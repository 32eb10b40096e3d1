"""What a proxy does to a connection; names and meaning are those of toxiproxy's toxics.

The child process uses real time, without a `Clock`: it is not part of any report.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from random import Random
from typing import Protocol

from xnai_validate.faults._proxy.side import CHUNK, Cut, Side

PIECES_CAP = 1024
"""Delayed pieces in one direction; more wait at their sender."""
WINDOW = 1 << 20
"""Delayed bytes in one direction, as the window of TCP."""
PIECE_S = 0.05
"""A limited bandwidth is kept in pieces that take this long, in seconds."""

Connect = Callable[[], Awaitable[Side]]
"""Connects to the target."""


class StreamToxic(Protocol):
    """Carries data of one direction of a connection, until its source closes."""

    async def carry(self, source: Side, sink: Side, draw: Random) -> None:
        """Carry data to the end of the stream. Raises OSError if a side is lost, Cut to end the connection."""


class ConnectionToxic(Protocol):
    """Serves a whole connection."""

    async def serve(self, client: Side, connect: Connect) -> None:
        """Serve the connection. Raises Cut to end it."""


class Unaffected:
    """Carries everything at once."""

    async def carry(self, source: Side, sink: Side, draw: Random) -> None:
        """Carry data without delay."""
        while data := await source.read():
            await sink.send(data)


@dataclass(frozen=True, slots=True)
class Latency:
    """Delays every piece by latency_s ± jitter_s; the order is kept."""

    latency_s: float
    jitter_s: float

    async def carry(self, source: Side, sink: Side, draw: Random) -> None:
        """Carry data with the delay; it reads on meanwhile, so that the delay does not limit the bandwidth."""
        pieces: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue(PIECES_CAP)
        window = _Window()
        async with asyncio.TaskGroup() as group:
            group.create_task(self._read_delayed(source, pieces, window, draw))
            while True:
                due, data = await pieces.get()
                await asyncio.sleep(due - _now())
                if not data:
                    return
                await sink.send(data)
                window.give(len(data))

    async def _read_delayed(
        self, source: Side, pieces: asyncio.Queue[tuple[float, bytes]], window: _Window, draw: Random
    ) -> None:
        """Read pieces from the source and queue each with the time at which it may be sent on.

        The last piece is empty: it carries the end of the stream, which is delayed too.
        """
        data = b"first"  # enters the loop; any bytes do
        while data:
            data = await source.read(await window.room())
            window.take(len(data))
            delay_s = self.latency_s + self.jitter_s * draw.uniform(-1, 1)
            await pieces.put((_now() + delay_s, data))


class _Window:
    """How many bytes may still be read while others are delayed."""

    def __init__(self) -> None:
        self._free = WINDOW
        self._given = asyncio.Event()

    async def room(self) -> int:
        """Return how many bytes may be read at once; waits until it is one at least."""
        while not self._free:
            self._given.clear()
            await self._given.wait()
        return min(CHUNK, self._free)

    def take(self, count: int) -> None:
        """Note bytes that were read."""
        self._free -= count

    def give(self, count: int) -> None:
        """Note bytes that were sent on."""
        self._free += count
        self._given.set()


@dataclass(frozen=True, slots=True)
class Bandwidth:
    """Limits the bytes per second."""

    rate: float

    async def carry(self, source: Side, sink: Side, draw: Random) -> None:
        """Carry data at the rate; unused capacity of idle times is not saved up."""
        free = _now()
        while data := await source.read(max(1, min(CHUNK, int(self.rate * PIECE_S)))):
            free = max(free, _now()) + len(data) / self.rate
            await asyncio.sleep(free - _now())
            await sink.send(data)


@dataclass(frozen=True, slots=True)
class SlowClose:
    """Closes a connection later."""

    delay_s: float

    async def carry(self, source: Side, sink: Side, draw: Random) -> None:
        """Carry data without delay, then wait before the end."""
        await Unaffected().carry(source, sink, draw)
        await asyncio.sleep(self.delay_s)


@dataclass(frozen=True, slots=True)
class Slicer:
    """Cuts data into pieces of average_size ± size_variation bytes, with a pause after each."""

    average_size: int
    size_variation: int
    delay_s: float

    async def carry(self, source: Side, sink: Side, draw: Random) -> None:
        """Carry data, each piece in a write of its own."""
        while data := await source.read():
            while data:
                size = self.average_size + draw.randint(-self.size_variation, self.size_variation)
                await sink.send(data[:size])
                data = data[size:]
                await asyncio.sleep(self.delay_s)


@dataclass(frozen=True, slots=True)
class LimitData:
    """Ends the connection after a number of bytes."""

    bytes: int
    reset: bool

    async def carry(self, source: Side, sink: Side, draw: Random) -> None:
        """Carry the bytes, then raise Cut."""
        left = self.bytes
        while left:
            data = await source.read(min(CHUNK, left))
            if not data:
                return
            await sink.send(data)
            left -= len(data)
        raise Cut(reset=self.reset)


@dataclass(frozen=True, slots=True)
class Timeout:
    """Never answers, and passes no data to the target; closes after after_s, or never."""

    after_s: float | None

    async def serve(self, client: Side, connect: Connect) -> None:
        """Read and drop what the client sends."""
        try:
            async with asyncio.timeout(self.after_s):
                await client.drain()
        except TimeoutError:
            raise Cut(reset=False) from None


@dataclass(frozen=True, slots=True)
class Reset:
    """Relays the connection for a time, then resets it."""

    after_s: float

    async def serve(self, client: Side, connect: Connect) -> None:
        """Relay for after_s; without it, do not even connect to the target."""
        if self.after_s:
            try:
                async with asyncio.timeout(self.after_s):
                    await relay(client, await connect(), Unaffected(), Unaffected(), Random(0), Random(0))
                return
            except TimeoutError:
                pass
        raise Cut(reset=True)


async def relay(
    client: Side, server: Side, up: StreamToxic, down: StreamToxic, draw_up: Random, draw_down: Random
) -> None:
    """Carry data in both directions until both have ended, then close the target's side.

    Raises a group of OSError and Cut.
    """
    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(_carry(up, client, server, draw_up))
            group.create_task(_carry(down, server, client, draw_down))
    finally:
        server.close()


async def _carry(toxic: StreamToxic, source: Side, sink: Side, draw: Random) -> None:
    """Carry one direction through a toxic until its end, then end the other side."""
    await toxic.carry(source, sink, draw)
    sink.end()


def _now() -> float:
    """Return the time of the event loop in seconds."""
    return asyncio.get_running_loop().time()
