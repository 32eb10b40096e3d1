"""What the Linux kernel reports in its files; a value is None where this kernel does not report it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

PROC = Path("/proc")
CGROUPS = Path("/sys/fs/cgroup")
NO_LIMIT_BYTES = 1 << 60
"""Control groups v1 report a number of about 2**63 if there is no limit."""


def text_of(path: Path) -> str | None:
    """The text of a small file; None where it cannot be read."""
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None


def pressure_percent(resource: str, who: str, proc: Path = PROC) -> float | None:
    """The share of the last 10 s in which `some` or all (`full`) tasks waited for memory, cpu or io.

    Source: pressure stall information, Documentation/accounting/psi.rst of the kernel (4.20 and later).
    """
    for line in (text_of(proc / "pressure" / resource) or "").splitlines():
        name, *fields = line.split()
        values = dict(field.split("=", 1) for field in fields if "=" in field)
        if name == who and "avg10" in values:
            return float(values["avg10"])
    return None


def oom_kills(proc: Path = PROC) -> int | None:
    """The number of processes that the kernel killed to free memory since it started (vmstat, 4.13 and later)."""
    for line in (text_of(proc / "vmstat") or "").splitlines():
        name, _, value = line.partition(" ")
        if name == "oom_kill":
            return int(value)
    return None


def file_handles(proc: Path = PROC) -> tuple[int, int] | None:
    """File handles in use on the machine, and the most there may be (proc_sys_fs(5), file-nr)."""
    fields = (text_of(proc / "sys/fs/file-nr") or "").split()
    return (int(fields[0]), int(fields[2])) if len(fields) == 3 else None


@dataclass(frozen=True, slots=True)
class GroupMemory:
    """The memory of the control group that this process is in."""

    usage_bytes: int | None
    limit_bytes: int | None
    """The lowest limit of the group and those above it; None means no limit."""


def group_memory(proc: Path = PROC, mount: Path = CGROUPS) -> GroupMemory | None:
    """The memory of our own control group, version 2 or 1; None without one.

    Source: Documentation/admin-guide/cgroup-v2.rst and cgroup-v1/memory.rst of the kernel. Inside a container the
    group's own path may not be visible; then the top of what is mounted is the container's group.
    """
    for line in sorted((text_of(proc / "self/cgroup") or "").splitlines(), reverse=True):
        _, controllers, path = line.split(":", 2)
        if controllers == "memory" or "memory" in controllers.split(","):
            return _memory(mount / "memory", path, "memory.usage_in_bytes", "memory.limit_in_bytes")
    for line in (text_of(proc / "self/cgroup") or "").splitlines():
        if line.startswith("0::"):
            return _memory(mount, line[3:], "memory.current", "memory.max")
    return None


def _memory(top: Path, path: str, usage_file: str, limit_file: str) -> GroupMemory | None:
    group = top / path.lstrip("/")
    if not group.is_dir():
        group = top
    usage = _bytes(group / usage_file)
    groups = [group, *(above for above in group.parents if above.is_relative_to(top))]
    limits = [limit for group in groups if (limit := _bytes(group / limit_file)) is not None]
    if usage is None and not limits:
        return None
    lowest = min(limits, default=NO_LIMIT_BYTES)
    return GroupMemory(usage, lowest if lowest < NO_LIMIT_BYTES else None)


def _bytes(path: Path) -> int | None:
    text = (text_of(path) or "").strip()
    return int(text) if text.isdigit() else None  # version 2 has "max" for no limit
