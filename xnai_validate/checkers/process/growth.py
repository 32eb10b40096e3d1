"""Whether work leaves something behind in a process."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import dropwhile
from typing import Annotated

from xnai_validate.checkers._steps import perform
from xnai_validate.checkers.process._descriptors import open_files
from xnai_validate.checkers.process._subject import pid_of
from xnai_validate.kit import (
    Context,
    Count,
    Duration,
    Facts,
    Field,
    Ge,
    Inner,
    Le,
    Mebibytes,
    Milliseconds,
    Needs,
    Observation,
    Params,
    SocketPath,
    Unmeasurable,
    Waits,
    checker,
    in_turn,
)

MIB = 2**20
POLL_S = 0.1
STEADY_READINGS = 3
STEADY_RATIO = 0.005
"""Memory that moves less than this from one reading to the next stands still."""


class GrowthParams(Params):
    """The work that is done between two looks at the process."""

    during: list[Observation] = Field(min_length=1)
    """The work: observations, performed in order."""
    times: Annotated[int, Ge(1), Le(10_000)] = 1
    """How often the work is done."""
    together: bool = False
    """Whether all of it is done at once instead of in order."""
    warmup: Annotated[int, Ge(0), Le(1_000)] = 2
    """How often the work is done before the first look, so that what is loaded once is not taken for growth.

    Twice, since the allocator of glibc begins to keep large pieces only when it has seen one freed.
    """
    settle: Duration = 5.0
    """How long the process may take to give back what it used; it is looked at again and again until it has."""
    again: Annotated[int, Ge(0), Le(20)] = 2
    """How often at most the work is done again where files, threads or children have grown: what leaks does so
    each time, what other clients cause comes and goes. The least growth counts. The work is also done again where
    there are fewer of them than before, since what went may hide a leak; such a time does not count, and growth at
    a single time after it proves no leak."""
    tree: bool = True
    """Whether the processes below it count too, as the workers of a server."""
    open_files: bool = True
    """Whether open files are counted, which takes the rights of the user the process runs as."""
    socket: SocketPath | None = None
    """The path of the container engine's socket, for a target of which only the container is known."""


def growth_waits(params: GrowthParams, inner: Inner) -> Waits:
    """How long the work takes, and the process to come to rest after it."""
    work = in_turn(params.during, inner)
    times = params.warmup + (1 if params.together else params.times)
    return Waits(times * work.usual_s + params.settle / 2)


class ProcessGrowth(Facts):
    """A process before and after work."""

    failed_steps: list[str]
    """The first observations of the work whose rules did not hold, in words."""
    failed_step_count: Count
    """How many did not hold."""
    step_count: Count
    """How many observations the work was, without the warm-up."""
    survived: bool
    """Whether the same process still runs after the work; if not, the other facts are null."""
    settled: bool | None = None
    """Whether files, threads and children came back to what they were, and memory stood still, within `settle`."""
    settle_ms: Milliseconds | None = None
    """How long it took until it settled or the patience ended."""
    rss_before_mib: Mebibytes | None = None
    """Resident memory after the warm-up, before the work; as all about memory, of the first time it was done."""
    rss_after_mib: Mebibytes | None = None
    """Resident memory when the process had settled."""
    rss_growth_mib: float | None = None
    """After less before."""
    rss_growth_ratio: float | None = None
    """After divided by before: 1.1 means a tenth more."""
    open_files_growth: Annotated[int | None, Needs("open_files")] = None
    """How many more file descriptors are open, without the connections that clients keep open to the process."""
    threads_growth: int | None = None
    """How many more threads there are."""
    children_growth: int | None = None
    """How many more processes are below it, zombies included."""
    elapsed_ms: Milliseconds
    """How long the work took."""


@dataclass(frozen=True, slots=True)
class _Reading:
    """One look at a process and, if asked for, those below it; `rss` in bytes."""

    born_s: float
    rss: int
    open_files: int
    threads: int
    children: int

    def growth_since(self, before: _Reading) -> dict[str, int]:
        """Fact -> by how much it has grown since a reading."""
        return {
            "open_files_growth": self.open_files - before.open_files,
            "threads_growth": self.threads - before.threads,
            "children_growth": self.children - before.children,
        }

    def holds_more_than(self, other: _Reading) -> bool:
        """Whether it has more files, threads or children than `other`."""
        return self.open_files > other.open_files or self.threads > other.threads or self.children > other.children


@checker("process.growth", expect={"failed_steps": [], "survived": True}, exclusive=True, waits=growth_waits)
async def measure_growth(params: GrowthParams, ctx: Context) -> ProcessGrowth:
    """Do some work and measure what it left behind in the process: memory, open files, threads, children.

    The process is looked at before the work, and after it until it has settled (files, threads and children are back to
    what they were and resident memory stands still over three readings) or `settle` is over. Source: /proc, by psutil.

        kind: process.growth
        target: api
        with:
          during: [{kind: sse.stream, with: {method: POST, path: /stream, json: {query: Hello}}}]
          times: 10
          together: true
        expect: {rss_growth_ratio: {max: 1.2}, open_files_growth: {max: 0}, threads_growth: {max: 2}}
    """
    pid = await pid_of(ctx, params.socket)
    before = _read(pid, params) if pid is not None else None
    if before is not None and pid is not None and params.warmup:
        await perform(ctx, params.during, times=params.warmup, together=params.together)
        before, _ = await _settle(pid, None, params, ctx)
    if pid is None or before is None:
        return ProcessGrowth(failed_steps=[], failed_step_count=0, step_count=0, survived=False, elapsed_ms=0)
    work = await perform(ctx, params.during, times=params.times, together=params.together)
    begun_s = ctx.clock.monotonic()
    after, settled = await _settle(pid, before, params, ctx)
    same = after is not None and after.born_s == before.born_s
    done = ProcessGrowth(
        failed_steps=list(work.failed),
        failed_step_count=work.failed_count,
        step_count=work.count,
        survived=same,
        elapsed_ms=work.elapsed_ms,
    )
    if after is None or not same:
        return done
    settle_ms = (ctx.clock.monotonic() - begun_s) * 1000
    growth = await _least_growth(pid, before, after, params, ctx)
    return done.model_copy(
        update={
            "settled": settled,
            "settle_ms": settle_ms,
            "rss_before_mib": before.rss / MIB,
            "rss_after_mib": after.rss / MIB,
            "rss_growth_mib": (after.rss - before.rss) / MIB,
            "rss_growth_ratio": after.rss / before.rss if before.rss else None,
            **growth,
            "open_files_growth": growth["open_files_growth"] if params.open_files else None,
        }
    )


async def _least_growth(
    pid: int, before: _Reading, after: _Reading, params: GrowthParams, ctx: Context
) -> dict[str, int]:
    """Fact -> the least growth of files, threads and children; the work is repeated while that is uncertain.

    Stops after `again` repetitions, at one that fails, and after a restart of the process; the last two do not count.
    """
    grown = {fact: [value] for fact, value in after.growth_since(before).items()}
    for _ in range(params.again):
        if not any(_is_uncertain(values) for values in grown.values()):
            break
        work = await perform(ctx, params.during, times=params.times, together=params.together)
        later, _ = await _settle(pid, after, params, ctx)
        if work.failed_count or later is None or later.born_s != after.born_s:
            break
        for fact, value in later.growth_since(after).items():
            grown[fact].append(value)
        after = later
    return {fact: _least(values) for fact, values in grown.items()}


def _counted(values: Sequence[int]) -> list[int]:
    """Growth at one time after another, without the first times at which more was closed than opened."""
    return list(dropwhile(lambda value: value < 0, values))


def _is_uncertain(values: Sequence[int]) -> bool:
    """Whether growth at one time after another may be the doing of others, or hidden by it."""
    counted = _counted(values)
    return not counted or min(counted) > 0


def _least(values: Sequence[int]) -> int:
    """The least growth; without the times that do not count, unless only one other is left, which proves no leak."""
    counted = _counted(values)
    return min(counted if len(counted) > 1 else values)


async def _settle(
    pid: int, before: _Reading | None, params: GrowthParams, ctx: Context
) -> tuple[_Reading | None, bool]:
    """The last reading, and whether the process had settled by then: memory stands still, it holds no more than before.

    Without a reading from before, files, threads and children are to stand still too.
    """
    read_s = ctx.clock.monotonic()
    until_s = read_s + params.settle
    steady, last = 1, _read(pid, params)
    while last is not None and (before is None or last.born_s == before.born_s):
        if steady >= STEADY_READINGS and not (before is not None and last.holds_more_than(before)):
            return last, True
        if read_s >= until_s:
            return last, False
        await ctx.clock.sleep(POLL_S)
        read_s, now = ctx.clock.monotonic(), _read(pid, params)
        still = now is not None and abs(now.rss - last.rss) <= STEADY_RATIO * last.rss
        still = still and now is not None and (before is not None or not last.holds_more_than(now))
        steady, last = (steady + 1 if still else 1), now
    return last, False


def _read(pid: int, params: GrowthParams) -> _Reading | None:
    """The process (and those below it) now; None where it does not run."""
    import psutil

    try:
        process = psutil.Process(pid)
        if process.status() in (psutil.STATUS_ZOMBIE, psutil.STATUS_DEAD):
            return None
        below = process.children(recursive=True)
        rss = threads = 0
        alive: list[int] = []
        for member in [process, *(below if params.tree else [])]:
            try:
                with member.oneshot():
                    rss += member.memory_info().rss
                    threads += member.num_threads()
                    alive += [member.pid] if member.status() != psutil.STATUS_ZOMBIE else []
            except psutil.NoSuchProcess:
                if member is process:
                    return None
        files = open_files(alive) if params.open_files and alive else 0
        return _Reading(process.create_time(), rss, files, threads, len(below))
    except (psutil.NoSuchProcess, FileNotFoundError, ProcessLookupError):
        return None
    except (psutil.AccessDenied, PermissionError):
        raise Unmeasurable(
            f"no permission to look at process {pid} and those below it",
            hint="run as the same user or as root, or leave its files out with `open_files: false`",
        ) from None
