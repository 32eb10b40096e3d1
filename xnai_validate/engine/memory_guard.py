"""The memory guard: the tool ends before the host it runs on does."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from xnai_validate.plan import Limits

EVERY_S = 0.5
"""Seconds between two looks."""
PATIENCE = 10
"""Looks for which checks that are held back are waited for when nothing else is left to do."""


@dataclass(frozen=True, slots=True)
class Memory:
    """Memory in use."""

    host_percent: float
    own_mib: float
    """Resident memory of this process."""
    host_bytes: int = 0
    """All the memory that the host has; 0 where that is not known."""


Sample = Callable[[], Memory]


def memory_now() -> Memory:
    """The host's memory and that of this process, as they are now: from the files of Linux, see proc(5)."""
    kib: dict[str, int] = {}
    with open("/proc/meminfo", encoding="ascii") as lines:
        for line in lines:
            name, _, amount = line.partition(":")
            kib[name] = int(amount.split()[0])
    with open("/proc/self/statm", encoding="ascii") as text:
        resident = int(text.read().split()[1])
    used = 1 - kib["MemAvailable"] / kib["MemTotal"]
    return Memory(used * 100, resident * os.sysconf("SC_PAGE_SIZE") / (1 << 20), kib["MemTotal"] << 10)


def spare_bytes(limits: Limits, sample: Sample) -> int:
    """How much of the host's memory may be taken before the run ends."""
    memory = sample()
    if not memory.host_bytes:
        return sys.maxsize
    return max(0, int((limits.host_memory_percent.stop - memory.host_percent) / 100 * memory.host_bytes))


@dataclass(frozen=True, slots=True)
class Sight:
    """What a look at the memory says."""

    level: Literal["calm", "warn", "stop"]
    text: str = ""
    """One sentence, where it is not calm."""


def look(limits: Limits, sample: Sample) -> Sight:
    """Hold the memory in use against the limits of the run."""
    memory, host = sample(), limits.host_memory_percent
    at = f"host memory is at {memory.host_percent:.0f} %"
    if memory.host_percent >= host.stop:
        return Sight("stop", f"{at}; the run ends at {host.stop:g} %")
    if memory.own_mib >= limits.own_memory_mib:
        return Sight(
            "stop", f"this process has {memory.own_mib:.0f} MiB; the run ends at {limits.own_memory_mib:g} MiB"
        )
    if memory.host_percent >= host.warn:
        return Sight("warn", f"{at}; no load and no disturbance begins from {host.warn:g} %")
    return Sight("calm")
