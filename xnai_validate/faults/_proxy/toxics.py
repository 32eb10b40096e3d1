"""What a proxy does to a connection; names and meaning are those of toxiproxy's toxics.

Time is the child's own here: nobody mocks it, and nothing of it reaches a report.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from random import Random
from typing import Protocol

from xnai_validate.faults._proxy.side import CHUNK, Cut, Side

AHEAD = 1024
"""Pieces of one way that may be under way with a latency; more wait at their sender."""
WINDOW = 1 << 20
"""Bytes of the same, as the window of TCP."""
PIECE_S = 0.05
"""A limited bandwidth is kept in pieces that take this long."""

Dial = Callable[[], Awaitable[Side]]


class Way(Protocol):
    """Something that carries what one end sends to the other, until that has closed."""

    async def carry(self, source: Side, sink: Side, draw: Random) -> None:
        """Raises OSError where an end is lost, Cut where the connection is to end."""


class Door(Protocol):
    """Something that is done to a whole connection."""

    async def serve(self, client: Side, dial: Dial) -> None:
        """Raises Cut when the connection is to end."""


class Passing:
    """Everything as it comes."""

    async def carry(self, source: Side, sink: Side, draw: Random) -> None:
        """At once."""
        while data := await source.read():
            await sink.send(data)


@dataclass(frozen=True, slots=True)
class Latency:
    """Every piece arrives later than it was sent by latency_s, give or take up to jitter_s; the order is kept."""

    latency_s: float
    jitter_s: float

    async def carry(self, source: Side, sink: Side, draw: Random) -> None:
        """What comes is read meanwhile, so that the delay is not a limit of bandwidth."""
        coming: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue(AHEAD)
        window = _Window()
        async with asyncio.TaskGroup() as group:
            group.create_task(self._read(source, coming, window, draw))
            while True:
                due, data = await coming.get()
                await asyncio.sleep(due - _now())
                if not data:
                    return
                await sink.send(data)
                window.give(len(data))

    async def _read(
        self, source: Side, coming: asyncio.Queue[tuple[float, bytes]], window: _Window, draw: Random
    ) -> None:
        data = b"first"
        while data:
            data = await source.read(await window.room())
            window.take(len(data))
            delay_s = self.latency_s + self.jitter_s * draw.uniform(-1, 1)
            await coming.put((_now() + delay_s, data))


class _Window:
    """How many bytes may still be read ahead."""

    def __init__(self) -> None:
        self._free = WINDOW
        self._given = asyncio.Event()

    async def room(self) -> int:
        """How much may be read at once; waits until that is something."""
        while not self._free:
            self._given.clear()
            await self._given.wait()
        return min(CHUNK, self._free)

    def take(self, count: int) -> None:
        """So much is under way."""
        self._free -= count

    def give(self, count: int) -> None:
        """So much has arrived."""
        self._free += count
        self._given.set()


@dataclass(frozen=True, slots=True)
class Bandwidth:
    """So many bytes a second."""

    rate: float

    async def carry(self, source: Side, sink: Side, draw: Random) -> None:
        """A piece arrives when its last byte has had its time; time in which nothing came is not made up for."""
        free = _now()
        while data := await source.read(max(1, min(CHUNK, int(self.rate * PIECE_S)))):
            free = max(free, _now()) + len(data) / self.rate
            await asyncio.sleep(free - _now())
            await sink.send(data)


@dataclass(frozen=True, slots=True)
class SlowClose:
    """The end of a connection is told later."""

    delay_s: float

    async def carry(self, source: Side, sink: Side, draw: Random) -> None:
        """Everything before it at once."""
        await Passing().carry(source, sink, draw)
        await asyncio.sleep(self.delay_s)


@dataclass(frozen=True, slots=True)
class Slicer:
    """Small pieces of about average_size bytes, give or take up to size_variation, with a pause after each."""

    average_size: int
    size_variation: int
    delay_s: float

    async def carry(self, source: Side, sink: Side, draw: Random) -> None:
        """Each in a write of its own."""
        while data := await source.read():
            while data:
                size = self.average_size + draw.randint(-self.size_variation, self.size_variation)
                await sink.send(data[:size])
                data = data[size:]
                await asyncio.sleep(self.delay_s)


@dataclass(frozen=True, slots=True)
class LimitData:
    """So many bytes, then the connection ends."""

    bytes: int
    reset: bool

    async def carry(self, source: Side, sink: Side, draw: Random) -> None:
        """Not one byte more."""
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
    """Nothing is answered, and nothing reaches the target; closed after a time, where there is one."""

    after_s: float | None

    async def serve(self, client: Side, dial: Dial) -> None:
        """What the client sends is taken and forgotten."""
        try:
            async with asyncio.timeout(self.after_s):
                await client.swallow()
        except TimeoutError:
            raise Cut(reset=False) from None


@dataclass(frozen=True, slots=True)
class Reset:
    """The connection is passed on for a time, then reset."""

    after_s: float

    async def serve(self, client: Side, dial: Dial) -> None:
        """With no time at all, the target is not even connected to."""
        if self.after_s:
            try:
                async with asyncio.timeout(self.after_s):
                    await relayed(client, await dial(), Passing(), Passing(), Random(0), Random(0))
                return
            except TimeoutError:
                pass
        raise Cut(reset=True)


async def relayed(client: Side, server: Side, up: Way, down: Way, draw_up: Random, draw_down: Random) -> None:
    """Carry both ways until both have ended. Raises a group of OSError and Cut; the server's end is closed then too."""
    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(_one_way(up, client, server, draw_up))
            group.create_task(_one_way(down, server, client, draw_down))
    finally:
        server.close()


async def _one_way(way: Way, source: Side, sink: Side, draw: Random) -> None:
    await way.carry(source, sink, draw)
    sink.end()


def _now() -> float:
    return asyncio.get_running_loop().time()
