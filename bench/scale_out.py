"""How far loads on workers carry: the cost of a call and of a merge, measured; many workers, simulated with these.

A real scheduler, one real worker, and a part as a load returns it give the costs. The simulation then lets up to 10 000
workers share one scheduler that serves one message after the other: how long it takes to prepare them and to measure
their clocks, how far apart they begin, and how many polls a second are left for each.
"""

from __future__ import annotations

import asyncio
import heapq
import json
import random
import statistics
import sys
from dataclasses import dataclass
from time import perf_counter, process_time

from bench.table import Row
from xnai_validate.checkers.load._generator.drive import Drive
from xnai_validate.checkers.load._generator.parts import add_part, part_of
from xnai_validate.checkers.load._streams.tally import StreamTally
from xnai_validate.checkers.load.sse import SseLoad
from xnai_validate.kit import Target
from xnai_validate.workers import worker_calls
from xnai_validate.workers.clock_offset import ROUNDS
from xnai_validate.workers.cluster import open_cluster
from xnai_validate.workers.divided_load import CLOCKS, LEAD_S, POLL_S, POLLS_A_S, START_BOUND_S
from xnai_validate.workers.worker_context import WorkerContext

CALLS = 400
NETWORK_S = 0.002
"""The mean time of a message from one host to another and back, in the simulation; each way varies by chance."""
SIZES = (4, 100, 1_000, 10_000)
PART_REQUESTS = 5_000


@dataclass(frozen=True, slots=True)
class Costs:
    """What was measured."""

    call_s: float
    """Processor time of scheduler and coordinating process for a call."""
    merge_s: float
    part_bytes: int


@dataclass(frozen=True, slots=True)
class Simulated:
    """A load on many workers."""

    prepared_s: float
    clocks_s: float
    spread_s: float
    uncertainty_s: float


def scale_out() -> list[Row]:
    """Measure, simulate, and return the figures."""
    costs = Costs(asyncio.run(_measure_call()), *_measure_merge())
    rows = [
        Row("scale-out: a call of a worker, processor time", costs.call_s * 1000, "ms", None, "scheduler and client"),
        Row("scale-out: the figures of a worker", costs.part_bytes / 1024, "KiB", None, f"{PART_REQUESTS} streams"),
        Row("scale-out: to add them up", costs.merge_s * 1000, "ms", None, "once a worker"),
    ]
    for count in SIZES:
        result = simulate(count, costs.call_s, random.Random(count))
        polls = min(count / POLL_S, POLLS_A_S)
        of = f"{count} workers, simulated"
        rows += [
            Row(f"scale-out: from prepare to start, {of}", result.prepared_s + result.clocks_s, "s", None),
            Row(f"scale-out: start spread, {of}", result.spread_s * 1000, "ms", START_BOUND_S * 1000),
            Row(f"scale-out: clocks known to, {of}", result.uncertainty_s * 1000, "ms", START_BOUND_S * 1000),
            Row(f"scale-out: polls, {of}", polls, "/s", 1 / costs.call_s, f"every {count / polls:.2g} s a worker"),
            Row(f"scale-out: all figures added up, {of}", count * (costs.merge_s + costs.call_s), "s", None),
        ]
    return rows


async def _measure_call() -> float:
    """Processor time of this process, in which the scheduler runs too, for one call of a worker process."""
    async with open_cluster("local:1") as cluster:
        [worker] = cluster.workers
        for _ in range(CALLS // 10):
            await cluster.call(worker, worker_calls.clock)
        before = process_time()
        for _ in range(CALLS):
            await cluster.call(worker, worker_calls.clock)
        return (process_time() - before) / CALLS


def _measure_merge() -> tuple[float, int]:
    """Time to read and add the part of one worker, and its bytes."""
    draw = random.Random(1)
    drive = _drive()
    load = drive.load
    assert isinstance(load, StreamTally)
    for _ in range(PART_REQUESTS):
        at, took_s = load.begun + draw.uniform(0, 30), draw.lognormvariate(-2, 0.5)
        load.sent += 1
        load.first_event(at, at, at + took_s)
        load.answered(200, at, at, at + 5 * took_s)
        load.gaps.record_many(int(draw.lognormvariate(10, 0.5)) for _ in range(20))
        load.longest_gaps.record(int(took_s * 1e6))
    text = json.dumps(part_of(drive))
    whole, times = _drive(), []
    for _ in range(30):
        begun = perf_counter()
        part = json.loads(text)
        add_part(_drive(), part)  # its own figures, for `by_worker`
        add_part(whole, part)
        times.append(perf_counter() - begun)
    return statistics.median(times), len(text)


def _drive() -> Drive:
    """A drive of streams over 30 s."""
    drive = Drive(SseLoad.model_validate({"callers": 100, "for": 30.0}), WorkerContext(Target("api")))
    drive.make_tally = StreamTally
    drive.set_times(0.0)
    return drive


def simulate(count: int, call_s: float, draw: random.Random) -> Simulated:
    """Let workers be prepared, have their clocks measured, and begin.

    The scheduler is a queue: a message that comes while it serves another waits. A round trip is known to lie within
    half its length, and its error is half the difference of its two ways.
    """
    prepared_s = 2 * count * call_s + NETWORK_S  # an order and a poll each, as quick as the scheduler is
    free_at = 0.0
    best: dict[int, tuple[float, float]] = {}
    waiting = iter(range(count))
    ready = [(0.0, worker, 0) for _, worker in zip(range(CLOCKS), waiting, strict=False)]
    heapq.heapify(ready)
    now = 0.0
    while ready:
        now, worker, rounds = heapq.heappop(ready)
        there_s, back_s = (draw.expovariate(2 / NETWORK_S) for _ in range(2))
        served_at = max(now, free_at)
        free_at = served_at + call_s
        queued_s = served_at - now
        trip = (queued_s + call_s + there_s + back_s) / 2, abs(queued_s + call_s / 2 + there_s - back_s) / 2
        best[worker] = min(best.get(worker, trip), trip)
        done_at = now + 2 * trip[0]
        if rounds + 1 < ROUNDS:
            heapq.heappush(ready, (done_at, worker, rounds + 1))
        elif (following := next(waiting, None)) is not None:
            heapq.heappush(ready, (done_at, following, 0))
        now = done_at
    errors = [error for _, error in best.values()]
    return Simulated(
        prepared_s, now + LEAD_S + count * call_s, max(errors) - min(errors), max(half for half, _ in best.values())
    )


if __name__ == "__main__":
    for row in scale_out():
        sys.stdout.write(f"{row.what}: {row.measured:.3f} {row.unit} {row.note}\n")
