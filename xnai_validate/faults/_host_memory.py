"""The host's memory, as psutil reads it."""

from __future__ import annotations

from dataclasses import dataclass

import psutil


@dataclass(frozen=True, slots=True)
class HostMemory:
    """Memory in bytes."""

    total: int
    available: int
    """Bytes that programs can still get without swapping (MemAvailable of proc_meminfo(5))."""

    @classmethod
    def read(cls) -> HostMemory:
        """Return the present state."""
        memory = psutil.virtual_memory()
        return cls(memory.total, memory.available)

    @property
    def used_percent(self) -> float:
        """The part of the total that is not available."""
        return 100 * (1 - self.available / self.total)

    def bytes_until(self, percent: float) -> int:
        """Return how many more bytes in use make that percentage; negative if more is in use already."""
        return int(self.available - self.total * (1 - percent / 100))
