"""The memory guard: the run ends before the host, or the control group of this process, runs out of memory."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Literal

import psutil

from xnai_validate.plan import Limits

EVERY_S = 0.5
"""Seconds between two samples."""
PATIENCE = 10
"""The number of samples for which held checks are kept waiting when no other check is left."""


CGROUPS = Path("/sys/fs/cgroup")
MEMBERSHIP = Path("/proc/self/cgroup")
UNLIMITED = 1 << 60
"""Bytes from which a limit is none: version 1 of control groups writes 2 ** 63, rounded down to whole pages."""


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

    A group is bound by the limits of all groups above it, too.

    Args:
        root: where the control groups are mounted.
        membership: the file that names the groups of this process, as /proc/self/cgroup does (see cgroups(7)).
    """
    found = [memory for folder, names in _group_folders(root, membership) if (memory := _read_group(folder, names))]
    return max(found, key=lambda memory: memory.percent, default=None)


@dataclass(frozen=True, slots=True)
class _Names:
    """The names of the files of a version of control groups, and of the file cache in `memory.stat`."""

    limit: str
    used: str
    cache: frozenset[str]


_VERSION_1 = _Names(
    "memory.limit_in_bytes", "memory.usage_in_bytes", frozenset({"total_inactive_file", "total_active_file"})
)
_VERSION_2 = _Names("memory.max", "memory.current", frozenset({"inactive_file", "active_file"}))


def _group_folders(root: Path, membership: Path) -> Iterator[tuple[Path, _Names]]:
    """The folder of each group of this process and those of the groups above it."""
    try:
        lines = membership.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return
    for line in lines:
        _, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        if controllers and "memory" not in controllers.split(","):
            continue
        base, names = (root / "memory", _VERSION_1) if controllers else (root, _VERSION_2)
        inner = PurePosixPath(path.lstrip("/"))
        if ".." in inner.parts:  # above what is mounted here, as within some containers
            inner = PurePosixPath()
        for part in (inner, *inner.parents):
            yield base / part, names


def _read_group(folder: Path, names: _Names) -> GroupMemory | None:
    with suppress(OSError, ValueError):  # ValueError: `max`, which is no limit
        limit = int((folder / names.limit).read_text(encoding="ascii"))
        if 0 < limit < UNLIMITED:
            used = int((folder / names.used).read_text(encoding="ascii"))
            rows = (row.split() for row in (folder / "memory.stat").read_text(encoding="ascii").splitlines())
            cache = sum(int(row[1]) for row in rows if len(row) == 2 and row[0] in names.cache)
            return GroupMemory(max(0, used - cache), limit)
    return None


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
