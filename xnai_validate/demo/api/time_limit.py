"""A time limit that a busy machine does not use up."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

_SLICES = 10


@asynccontextmanager
async def time_limit(limit_s: float) -> AsyncIterator[None]:
    """Raise TimeoutError if the block takes longer than `limit_s` seconds of this process.

    The limit is spent slice by slice, each of which begins when the one before has ended: while the machine has no
    processor for this process, and so none to read an answer that has long come, at most one slice is spent.
    """
    loop = asyncio.get_running_loop()
    slices: list[asyncio.TimerHandle] = []

    def spend_slice() -> None:
        """Spend a slice of the time; after the last one the limit is reached."""
        if len(slices) < _SLICES:
            slices.append(loop.call_later(limit_s / _SLICES, spend_slice))
        else:
            limit.reschedule(loop.time())

    async with asyncio.timeout(None) as limit:
        spend_slice()
        try:
            yield
        finally:
            slices[-1].cancel()
