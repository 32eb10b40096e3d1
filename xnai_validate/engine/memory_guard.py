"""The memory guard: the run ends before the host runs out of memory."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import psutil

from xnai_validate.plan import Limits

EVERY_S = 0.5
"""Seconds between two samples."""
PATIENCE = 10
"""The number of samples for which held checks are kept waiting when no other check is left."""


@dataclass(frozen=True, slots=True)
class Memory:
    """Memory in use."""

    host_percent: float
    own_mib: float
    """Resident memory of this process."""
    host_bytes: int = 0
    """All memory of the host; 0 if it is unknown."""


Sample = Callable[[], Memory]


def memory_now() -> Memory:
    """The memory in use now."""
    host = psutil.virtual_memory()
    own = psutil.Process().memory_info().rss
    return Memory(100 * (1 - host.available / host.total), own / 2**20, host.total)


def spare_bytes(limits: Limits, sample: Sample) -> int:
    """The memory of the host that may be taken before the run ends."""
    memory = sample()
    if not memory.host_bytes:
        return sys.maxsize
    return max(0, int((limits.host_memory_percent.stop - memory.host_percent) / 100 * memory.host_bytes))


@dataclass(frozen=True, slots=True)
class MemoryState:
    """The memory in use compared with the limits of the run."""

    level: Literal["calm", "warn", "stop"]
    text: str = ""
    """One sentence about a level other than calm."""


def check_memory(limits: Limits, sample: Sample) -> MemoryState:
    """Compare the memory in use with the limits of the run."""
    memory, host = sample(), limits.host_memory_percent
    usage = f"host memory is at {memory.host_percent:.0f} %"
    if memory.host_percent >= host.stop:
        return MemoryState("stop", f"{usage}; the run ends at {host.stop:g} %")
    if memory.own_mib >= limits.own_memory_mib:
        own = f"this process has {memory.own_mib:.0f} MiB; the run ends at {limits.own_memory_mib:g} MiB"
        return MemoryState("stop", own)
    if memory.host_percent >= host.warn:
        return MemoryState("warn", f"{usage}; no load and no disturbance begins from {host.warn:g} %")
    return MemoryState("calm")
