"""Memory, swap, load, disk, files and pressure of the machine."""

from __future__ import annotations

import os
import resource
from collections.abc import Hashable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from xnai_validate.checkers.host._kernel import file_handles, group_memory, oom_kills, pressure_percent
from xnai_validate.kit import (
    Argument,
    Context,
    Count,
    Facts,
    Mebibytes,
    NotApplicable,
    Params,
    Percent,
    Seconds,
    Unmeasurable,
    checker,
)
from xnai_validate.wire.containers.isolation import in_image

MIB, GIB = 2**20, 2**30


class ResourcesParams(Params):
    """The part of the machine that is measured, where it has several."""

    path: Argument = "/"
    """Any path on the file system whose space is measured."""
    procfs: Argument = "/proc"
    """Where the kernel's files are: within a container, the host's are mounted elsewhere (`/host/proc`)."""


class Resources(Facts):
    """The machine now; a fact is null if its kernel does not report it."""

    memory_percent: Percent
    """In use, of the machine's memory: what is not available without swapping."""
    memory_available_mib: Mebibytes
    """What a program can have without swapping."""
    memory_used_mib: Mebibytes
    """In use by programs and the kernel, without what is cached."""
    memory_total_mib: Mebibytes
    """The machine's memory."""
    swap_percent: Percent
    """In use, of the swap space; 0 without swap space."""
    swap_used_mib: Mebibytes
    """Swap space in use."""
    cores: Count
    """Logical processors."""
    load_1_per_core: float
    """Tasks that run or wait, averaged over 1 minute, for each core."""
    load_5_per_core: float
    """Tasks that run or wait, averaged over 5 minutes, for each core."""
    load_15_per_core: float
    """Tasks that run or wait, averaged over 15 minutes, for each core."""
    disk_free_gib: float
    """Free for users on the file system of `path`."""
    disk_percent: Percent
    """In use, of what users may use."""
    inodes_free_percent: Percent | None
    """Files that can still be made; null where the file system has no fixed number of them."""
    open_files: Count | None
    """File handles in use on the whole machine."""
    open_files_limit: Count | None
    """The most the machine may have."""
    nofile_limit: Count | None
    """How many files a process started like this one may open (soft RLIMIT_NOFILE); null means without limit."""
    pressure_memory_some_percent: Percent | None
    """Of the last 10 s, how long at least one task waited for memory."""
    pressure_memory_full_percent: Percent | None
    """Of the last 10 s, how long all tasks waited for memory."""
    pressure_cpu_some_percent: Percent | None
    """Of the last 10 s, how long at least one task waited for a processor."""
    pressure_io_some_percent: Percent | None
    """Of the last 10 s, how long at least one task waited for a disk."""
    pressure_io_full_percent: Percent | None
    """Of the last 10 s, how long all tasks waited for a disk."""
    oom_kills: Count | None
    """Processes that the kernel killed to free memory since it started."""
    oom_kills_in_run: Count | None
    """How many of these it killed since the run began: only those can be the doing of what the run asked for."""
    group_memory_mib: Mebibytes | None
    """What the control group of this process uses; null without one, as in a shell on most hosts."""
    group_memory_limit_mib: Mebibytes | None
    """The limit of that group or of one above it; null means without limit."""
    group_memory_percent: Percent | None
    """In use, of that limit."""
    uptime_s: Seconds
    """Since the machine started."""


def _oom_kills_key(params: ResourcesParams) -> Hashable:
    """The key under which the number of kills is noted when the run begins."""
    return "host", "oom kills", params.procfs


def _notes(params: ResourcesParams) -> Mapping[Hashable, object]:
    """The number of kills when the run begins."""
    return {_oom_kills_key(params): oom_kills(Path(params.procfs))}


@contextmanager
def _psutil_reads(proc: Path) -> Iterator[None]:
    """Let psutil read another /proc. The path is global to psutil: do not await within the block."""
    import psutil

    before, psutil.PROCFS_PATH = psutil.PROCFS_PATH, str(proc)
    try:
        yield
    finally:
        psutil.PROCFS_PATH = before


def _file_system(path: str) -> os.statvfs_result:
    """Return the statistics of the file system that holds a folder.

    Raises NotApplicable if the tool runs in a container that does not have the folder, Unmeasurable on other errors.
    """
    try:
        return os.statvfs(path)
    except OSError as error:
        if in_image() and isinstance(error, FileNotFoundError):
            raise NotApplicable(
                f"{path} of the host cannot be seen from within this container",
                hint=f"mount the host's {path} into the container at the same path",
            ) from None
        raise Unmeasurable(f"the disk space at {path} cannot be measured: {error.strerror}") from None


@checker("host.resources", target=False, notes=_notes)
async def measure_resources(params: ResourcesParams, ctx: Context) -> Resources:
    """Measure the machine the tool runs on: memory, swap, load, disk, open files, pressure, kills to free memory.

    Source: /proc (through psutil, and pressure stall information) and the control group of the process.

        kind: host.resources
        expect: {memory_percent: {max: 94}, disk_free_gib: {min: 2}, oom_kills_in_run: 0}
    """
    import psutil

    files = _file_system(params.path)
    proc = Path(params.procfs)
    try:
        with _psutil_reads(proc):
            memory, swap = psutil.virtual_memory(), psutil.swap_memory()
        load = [float(average) for average in (proc / "loadavg").read_text("ascii").split()[:3]]
    except (OSError, ValueError) as error:
        raise Unmeasurable(
            f"{proc} does not describe a machine: {error}", hint="name its /proc with `procfs`"
        ) from None
    group = group_memory(proc)
    cores = os.cpu_count() or 1
    handles = file_handles(proc)
    killed, before = oom_kills(proc), ctx.noted(_oom_kills_key(params))
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    used_blocks = files.f_blocks - files.f_bfree
    usable_blocks = used_blocks + files.f_bavail
    usage, limit = (group.usage_bytes, group.limit_bytes) if group else (None, None)
    return Resources(
        memory_percent=memory.percent,
        memory_available_mib=memory.available / MIB,
        memory_used_mib=memory.used / MIB,
        memory_total_mib=memory.total / MIB,
        swap_percent=swap.percent,
        swap_used_mib=swap.used / MIB,
        cores=cores,
        load_1_per_core=load[0] / cores,
        load_5_per_core=load[1] / cores,
        load_15_per_core=load[2] / cores,
        disk_free_gib=files.f_bavail * files.f_frsize / GIB,
        disk_percent=100 * used_blocks / usable_blocks if usable_blocks else 0,
        inodes_free_percent=100 * files.f_favail / files.f_files if files.f_files else None,
        open_files=handles[0] if handles else None,
        open_files_limit=handles[1] if handles else None,
        nofile_limit=None if soft == resource.RLIM_INFINITY else soft,
        pressure_memory_some_percent=pressure_percent("memory", "some", proc),
        pressure_memory_full_percent=pressure_percent("memory", "full", proc),
        pressure_cpu_some_percent=pressure_percent("cpu", "some", proc),
        pressure_io_some_percent=pressure_percent("io", "some", proc),
        pressure_io_full_percent=pressure_percent("io", "full", proc),
        oom_kills=killed,
        oom_kills_in_run=killed - before if killed is not None and isinstance(before, int) else None,
        group_memory_mib=usage / MIB if usage is not None else None,
        group_memory_limit_mib=limit / MIB if limit else None,
        group_memory_percent=100 * usage / limit if usage is not None and limit else None,
        uptime_s=max(0.0, ctx.clock.time() - psutil.boot_time()),
    ).not_reached(None if killed is not None else f"the kernel does not report oom_kill in {proc / 'vmstat'}")
