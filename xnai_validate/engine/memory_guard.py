"""The memory guard: the run ends before the host, or the control group of this process, runs out of memory."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import psutil

from xnai_validate.kit.control_groups import CGROUPS, MEMBERSHIP, control_groups
from xnai_validate.plan import Limits

EVERY_S = 0.5
"""Seconds between two samples."""
PATIENCE = 10
"""The number of samples for which held checks are kept waiting when no other check is left."""


@dataclass(frozen=True, slots=True)
class GroupMemory:
    """The memory of a control group that has a limit."""

    used_bytes: int
    """Without the file cache, which the kernel frees before it ends a process."""
    limit_bytes: int

    @property
    def percent(self) -> float:
        """The used share of the limit."""
        return 100 * self.used_bytes / self.limit_bytes


@dataclass(frozen=True, slots=True)
class Memory:
    """Memory in use."""

    host_percent: float
    own_mib: float
    """Resident memory of this process."""
    host_bytes: int = 0
    """All memory of the host; 0 if it is unknown."""
    group: GroupMemory | None = None
    """The control group of this process that is nearest to its limit; None without a limit."""


Sample = Callable[[], Memory]


def memory_now() -> Memory:
    """The memory in use now."""
    host = psutil.virtual_memory()
    own = psutil.Process().memory_info().rss
    return Memory(100 * (1 - host.available / host.total), own / 2**20, host.total, group_memory())


def group_memory(root: Path = CGROUPS, membership: Path = MEMBERSHIP) -> GroupMemory | None:
    """The memory of the control group of this process that is nearest to its limit; None without a limit.

    `root` and `membership` are those of `control_groups`.
    """
    found = [
        GroupMemory(max(0, group.used_bytes - group.cache_bytes), group.limit_bytes)
        for group in control_groups(root, membership)
        if group.used_bytes is not None and group.limit_bytes is not None
    ]
    return max(found, key=lambda memory: memory.percent, default=None)


def spare_bytes(limits: Limits, sample: Sample) -> int:
    """The memory that may be taken before the run ends."""
    memory, stop = sample(), limits.host_memory_percent.stop
    spare = sys.maxsize
    if memory.host_bytes:
        spare = int((stop - memory.host_percent) / 100 * memory.host_bytes)
    if memory.group is not None:
        spare = min(spare, int((stop - memory.group.percent) / 100 * memory.group.limit_bytes))
    return max(0, spare)


@dataclass(frozen=True, slots=True)
class MemoryState:
    """The memory in use compared with the limits of the run."""

    level: Literal["calm", "warn", "stop"]
    text: str = ""
    """One sentence about a level other than calm."""


def check_memory(limits: Limits, sample: Sample) -> MemoryState:
    """Compare the memory in use with the limits of the run."""
    memory, host = sample(), limits.host_memory_percent
    percent, usage = memory.host_percent, f"host memory is at {memory.host_percent:.0f} %"
    if memory.group is not None and memory.group.percent > percent:
        percent = memory.group.percent
        usage = f"the control group's memory is at {percent:.0f} % of its {memory.group.limit_bytes / 2**20:.0f} MiB"
    if percent >= host.stop:
        return MemoryState("stop", f"{usage}; the run ends at {host.stop:g} %")
    if memory.own_mib >= limits.own_memory_mib:
        own = f"this process has {memory.own_mib:.0f} MiB; the run ends at {limits.own_memory_mib:g} MiB"
        return MemoryState("stop", own)
    if percent >= host.warn:
        return MemoryState("warn", f"{usage}; no load and no disturbance begins from {host.warn:g} %")
    return MemoryState("calm")


class MemoryGuard:
    """Compares the memory in use with the limits of one run, again and again."""

    def __init__(self, limits: Limits, sample: Sample, warn: Callable[[str], None]) -> None:
        """`warn` is called with one sentence when a level other than calm is reached for the first time."""
        self.state = MemoryState("calm")
        """The state at the last sample."""
        self._limits = limits
        self._sample = sample
        self._warn = warn
        self._reached = {"calm"}

    def has_changed(self) -> bool:
        """Take a sample; return whether the level differs from that of the sample before."""
        before, self.state = self.state, check_memory(self._limits, self._sample)
        if self.state.level not in self._reached:
            self._reached.add(self.state.level)
            self._warn(self.state.text)
        return self.state.level != before.level

    def spare_bytes(self) -> int:
        """The memory that may be taken before the run ends."""
        return spare_bytes(self._limits, self._sample)
