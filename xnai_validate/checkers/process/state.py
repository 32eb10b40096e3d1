"""One look at a process."""

from __future__ import annotations

import resource
from typing import TYPE_CHECKING, Annotated

from xnai_validate.checkers.process._subject import pid_of
from xnai_validate.kit import (
    Context,
    Count,
    Duration,
    Facts,
    Mebibytes,
    Needs,
    Params,
    Percent,
    Seconds,
    SocketPath,
    Unmeasurable,
    checker,
)

if TYPE_CHECKING:
    import psutil

MIB = 2**20


class StateParams(Params):
    """What is looked at."""

    cpu_window: Duration = 0.2
    """How long the use of the processor is watched; `0s` leaves it out."""
    open_files: bool = True
    """Whether open files are counted, which takes the rights of the user the process runs as."""
    socket: SocketPath | None = None
    """The path of the container engine's socket, for a target of which only the container is known."""


class ProcessState(Facts):
    """A process as the kernel accounts for it; all but `running` are null when it does not run."""

    running: bool
    """Whether it exists and is not a zombie."""
    status: str | None = None
    """running, sleeping, disk-sleep, stopped, zombie ... as psutil names them."""
    pid: Count | None = None
    """The number of the process."""
    name: str | None = None
    """The name of its program."""
    rss_mib: Mebibytes | None = None
    """Its resident memory."""
    tree_rss_mib: Mebibytes | None = None
    """Its resident memory and that of all processes below it; shared pages count more than once."""
    threads: Count | None = None
    """How many threads it has."""
    most_threads: Count | None = None
    """How many threads the process has that has most of them, of it and all below it: workers of a server are below."""
    children: Count | None = None
    """How many processes are below it, zombies not counted."""
    zombies: Count | None = None
    """The number of its zombie descendants: ended processes whose parent has not waited for them."""
    open_files: Annotated[Count | None, Needs("open_files")] = None
    """Its open file descriptors, sockets among them."""
    most_open_files: Annotated[Count | None, Needs("open_files")] = None
    """Those of the process that has most of them, of it and all below it; null where some may not be counted."""
    nofile_limit: Annotated[Count | None, Needs("open_files")] = None
    """How many it may open (soft RLIMIT_NOFILE); null means without limit."""
    cpu_percent: Percent | None = None
    """Of one processor, over `cpu_window`; above 100 where several threads work."""
    age_s: Seconds | None = None
    """Since its start."""


@checker("process.state", expect={"running": True})
async def measure_state(params: StateParams, ctx: Context) -> ProcessState:
    """Look at the process behind the target: memory, threads, open files, children, age.

    The process is the target's `pid`, else the main process of its `container`. Source: /proc, through psutil.

        kind: process.state
        target: api
        expect: {rss_mib: {max: 1500}, zombies: 0, open_files: {max: 200}}
    """
    import psutil

    pid = await pid_of(ctx, params.socket)
    if pid is None:
        return ProcessState(running=False)
    try:
        process = psutil.Process(pid)
        cpu_before_s, watched_from_s = _cpu_s(process), ctx.clock.monotonic()
        if params.cpu_window:
            await ctx.clock.sleep(params.cpu_window)
        window_s = ctx.clock.monotonic() - watched_from_s
        cpu = 100 * (_cpu_s(process) - cpu_before_s) / window_s if params.cpu_window and window_s > 0 else None
        return _look(process, cpu, ctx.clock.time(), params)
    except psutil.NoSuchProcess:
        return ProcessState(running=False, pid=pid)
    except psutil.AccessDenied as error:
        raise Unmeasurable(
            f"no permission to look at process {error.pid}",
            hint="run as the same user or as root, or leave its files out with `open_files: false`",
        ) from None


def _look(process: psutil.Process, cpu_percent: float | None, now_s: float, params: StateParams) -> ProcessState:
    """Return the state of a process and of its descendants."""
    import psutil

    with process.oneshot():
        status = process.status()
        if status in (psutil.STATUS_ZOMBIE, psutil.STATUS_DEAD):
            return ProcessState(running=False, status=status, pid=process.pid)
        rss = process.memory_info().rss
        threads = [process.num_threads()]
        open_files: list[int | None] = [process.num_fds()] if params.open_files else []
        below, zombies, below_rss = 0, 0, 0
        for child in process.children(recursive=True):
            try:
                if child.status() == psutil.STATUS_ZOMBIE:
                    zombies += 1
                    continue
                below_rss += child.memory_info().rss
                threads.append(child.num_threads())
                below += 1
                if params.open_files:
                    open_files.append(child.num_fds())
            except psutil.NoSuchProcess:
                continue  # ended since it was listed
            except psutil.AccessDenied:
                open_files.append(None)  # such as the sandbox of a browser, also for the user that started it
        known = [count for count in open_files if count is not None]
        hides = len(known) < len(open_files)
        return ProcessState(
            running=True,
            status=status,
            pid=process.pid,
            name=process.name(),
            rss_mib=rss / MIB,
            tree_rss_mib=(rss + below_rss) / MIB,
            threads=threads[0],
            most_threads=max(threads),
            children=below,
            zombies=zombies,
            open_files=open_files[0] if open_files else None,
            most_open_files=None if hides else max(known, default=None),
            nofile_limit=_nofile_limit(process) if params.open_files else None,
            cpu_percent=cpu_percent,
            age_s=max(0.0, now_s - process.create_time()),
        ).not_reached(f"no permission to count the open files below process {process.pid}" if hides else None)


def _cpu_s(process: psutil.Process) -> float:
    """Return the CPU time of a process in seconds."""
    times = process.cpu_times()
    return times.user + times.system


def _nofile_limit(process: psutil.Process) -> int | None:
    """Return how many files a process may open; None without a limit."""
    soft, _ = process.rlimit(resource.RLIMIT_NOFILE)
    return None if soft == resource.RLIM_INFINITY else soft
