"""The control groups of this process, by which the kernel limits its memory (cgroups(7))."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

CGROUPS = Path("/sys/fs/cgroup")
MEMBERSHIP = Path("/proc/self/cgroup")
UNLIMITED = 1 << 60
"""Bytes from which a limit means no limit: version 1 of control groups writes 2 ** 63, rounded down to whole pages."""


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


@dataclass(frozen=True, slots=True)
class ControlGroup:
    """The memory of a control group."""

    used_bytes: int | None
    """With the file cache; None where the kernel does not report it, as of the topmost group."""
    cache_bytes: int
    """The file cache, which the kernel frees before it ends a process."""
    limit_bytes: int | None
    """None without a limit."""


def control_groups(root: Path = CGROUPS, membership: Path = MEMBERSHIP) -> Iterator[ControlGroup]:
    """The groups of this process that account for memory, each followed by the groups above it, which bind it too.

    Sources: Documentation/admin-guide/cgroup-v2.rst and cgroup-v1/memory.rst of the kernel. Inside a container the
    path of a group may not be visible; then the top of what is mounted is the container's group.

    Args:
        root: where the control groups are mounted.
        membership: the file that names the groups of this process, as /proc/self/cgroup does.
    """
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
            yield _read_group(base / part, names)


def _read_group(folder: Path, names: _Names) -> ControlGroup:
    """Read what a control group uses, its cache and its limit."""
    limit = _number(folder / names.limit)
    if limit is not None and not 0 < limit < UNLIMITED:
        limit = None
    return ControlGroup(_number(folder / names.used), _read_cache_bytes(folder / "memory.stat", names.cache), limit)


def _number(path: Path) -> int | None:
    """The number in a file; None for `max`, which is not a limit, and for a file that does not exist."""
    with suppress(OSError, ValueError):
        return int(path.read_text(encoding="ascii"))
    return None


def _read_cache_bytes(path: Path, names: frozenset[str]) -> int:
    """Sum up the named rows of `memory.stat`; 0 if it cannot be read."""
    with suppress(OSError, ValueError):
        rows = (row.split() for row in path.read_text(encoding="ascii").splitlines())
        return sum(int(row[1]) for row in rows if len(row) == 2 and row[0] in names)
    return 0
