"""The machine's clock."""

from __future__ import annotations

import asyncio
import time


class SystemClock:
    """Time and sleep of the machine and of the running event loop."""

    def time(self) -> float:
        """Seconds since the epoch."""
        return time.time()

    def monotonic(self) -> float:
        """Seconds of a clock that never goes back."""
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        await asyncio.sleep(seconds)
