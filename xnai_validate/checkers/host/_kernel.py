"""What the Linux kernel reports in its files; a value is None where this kernel does not report it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from xnai_validate.kit import CGROUPS, control_groups

PROC = Path("/proc")


def text_of(path: Path) -> str | None:
    """The text of a small file; None where it cannot be read."""
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None


def pressure_percent(resource: str, tasks: str, proc: Path = PROC) -> float | None:
    """The percentage of the last 10 s in which tasks waited for a resource; None where the kernel does not report it.

    Args:
        resource: `memory`, `cpu` or `io`.
        tasks: `some` for the time in which any task waited, `full` for that in which all did.
        proc: where /proc is mounted.

    Source: pressure stall information, Documentation/accounting/psi.rst of the kernel (4.20 and later).
    """
    for line in (text_of(proc / "pressure" / resource) or "").splitlines():
        name, *fields = line.split()
        values = dict(field.split("=", 1) for field in fields if "=" in field)
        if name == tasks and "avg10" in values:
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
    """The memory of our own control group, version 2 or 1; None without one."""
    groups = list(control_groups(mount, proc / "self/cgroup"))
    usage = next((group.used_bytes for group in groups if group.used_bytes is not None), None)
    limit = min((group.limit_bytes for group in groups if group.limit_bytes is not None), default=None)
    return None if usage is None and limit is None else GroupMemory(usage, limit)
