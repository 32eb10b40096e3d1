"""What a toxic draws by chance follows from its seed."""

from __future__ import annotations

import asyncio
import random

from tests.faults.proxy.giver import BODY
from xnai_validate.faults._proxy.side import Side
from xnai_validate.faults._proxy.toxics import Slicer


class Recorder(Side):
    """A side that keeps the sizes of what is sent to it, and gives what it has."""

    def __init__(self, data: bytes = b"") -> None:
        self._data = data
        self.sizes: list[int] = []

    async def read(self, most: int = 0) -> bytes:
        data, self._data = self._data, b""
        return data

    async def send(self, data: bytes) -> None:
        self.sizes.append(len(data))


def test_what_is_drawn_is_the_same_for_the_same_seed() -> None:
    """Sizes of pieces, one by one; others for another seed, and all within their bounds."""

    def sizes(seed: int) -> list[int]:
        to = Recorder()
        asyncio.run(Slicer(20, 10, 0).carry(Recorder(BODY[:2000]), to, random.Random(seed)))
        assert sum(to.sizes) == 2000
        assert all(10 <= size <= 30 for size in to.sizes[:-1])
        return to.sizes

    assert sizes(1) == sizes(1) != sizes(2)
