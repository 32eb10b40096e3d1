"""The host's memory, as the kernel accounts for it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class MemInfo:
    """Bytes."""

    total: int
    available: int
    """What can be had without swapping."""

    @property
    def used_percent(self) -> float:
        """What cannot be had, of all."""
        return 100 * (1 - self.available / self.total)

    def until(self, percent: float) -> int:
        """How many bytes more make so many percent in use; negative where it is more already."""
        return int(self.available - self.total * (1 - percent / 100))


def read_meminfo() -> MemInfo:
    """As it is now. Source: proc_meminfo(5)."""
    found: dict[str, int] = {}
    with open("/proc/meminfo", encoding="ascii") as lines:
        for line in lines:
            name, _, rest = line.partition(":")
            if name in ("MemTotal", "MemAvailable"):
                found[name] = int(rest.split()[0]) * 1024
    return MemInfo(found["MemTotal"], found["MemAvailable"])
