"""A load that workers send together: prepared, begun at one instant, watched, ended and added up."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from time import perf_counter
from typing import Any

from xnai_validate.checkers.load._generator.line import allow_time
from xnai_validate.checkers.load._generator.progress import Moment, Progress
from xnai_validate.checkers.load._generator.runner import Load
from xnai_validate.errors import NotApplicable
from xnai_validate.kit import JsonObject, Unmeasurable, uninterrupted
from xnai_validate.workers import worker_calls
from xnai_validate.workers.clock_offset import Offset, measure_offset
from xnai_validate.workers.cluster import LOST_S, Cluster, Worker, WorkerLost
from xnai_validate.workers.orders import Order

START_BOUND_S = 0.25
"""How exactly the clocks must be known for a start that is one instant."""
POLL_S = 0.25
POLLS_A_S = 400
"""The most polls a second, of all workers together."""
PREPARED_S = 30.0
"""How long a worker may take to prepare: it imports the kind, resolves the host, reads prompts."""
LEAD_S = 0.3
"""How far ahead the instant is at least."""
FETCH_S = 1.5
"""What is left of the check's time limit for the last figures."""
STOP_S = 1.0
CLOCKS = 8
"""Workers whose clocks are measured at once: more would wait for one another."""


@dataclass(slots=True)
class Member:
    """A worker and its share."""

    worker: Worker
    index: int
    offset: Offset | None = None
    begun_at: float | None = None
    """When it began, on the clock here."""
    news: JsonObject = field(default_factory=dict)
    part: JsonObject | None = None
    lost: str | None = None
    """Why it has no figures."""


class DividedLoad:
    """One load, from its orders to the figures of all workers."""

    def __init__(self, cluster: Cluster, load: Load, orders: Callable[[str, int, int, float], Order]) -> None:
        """`orders` returns the order of a share: nonce, index, number of shares, lease."""
        count = min(len(cluster.workers), load.params.lanes)
        self.members = [Member(worker, index) for index, worker in enumerate(cluster.workers[:count])]
        self.at = 0.0
        """The agreed instant, on the clock here."""
        self._cluster, self._load, self._orders = cluster, load, orders
        self._nonce = secrets.token_hex(16)
        self._poll_s = max(POLL_S, count / POLLS_A_S)
        self._lease_s = max(LOST_S, 4 * self._poll_s)
        self._until = perf_counter() + load.ctx.timeout_s - FETCH_S
        self._ended_because: str | None = None
        self._progress = Progress(perf_counter())

    async def run(self) -> None:
        """Send the load; afterwards each member has its part, or why it has none.

        Raises Unmeasurable where it did not begin. However it ends, nothing of it goes on at any worker that answers.
        """
        try:
            await self._all(self._prepare)
            gate = asyncio.Semaphore(CLOCKS)
            await self._all(lambda member: self._measure_clock(member, gate))
            await self._begin()
            await asyncio.gather(*(self._watch(member) for member in self.members))
        finally:
            await uninterrupted(self._stop())

    async def _all(self, step: Callable[[Member], Awaitable[None]]) -> None:
        """Take a step with all workers; raises the first error once all have ended."""
        outcomes = await asyncio.gather(*(step(member) for member in self.members), return_exceptions=True)
        for member, outcome in zip(self.members, outcomes, strict=True):
            if isinstance(outcome, WorkerLost):
                self._cluster.lost[member.worker.address] = outcome.message
                raise Unmeasurable(f"{outcome.message}, before the load began") from None
            if isinstance(outcome, BaseException):
                raise outcome

    async def _call(self, member: Member, function: Callable[..., Any], *args: Any) -> Any:
        """Call a function on the worker of a member, within the lease and the time of the load."""
        within_s = max(0.1, min(self._lease_s, self._until - perf_counter()))
        return await self._cluster.call(member.worker, function, *args, within_s=within_s)

    async def _prepare(self, member: Member) -> None:
        """Have a worker prepare its share, and wait until it is ready."""
        self._load.ctx.progress(f"preparing {len(self.members)} workers")
        order = self._orders(self._nonce, member.index, len(self.members), self._lease_s)
        await self._call(member, worker_calls.prepare, worker_calls.sealed(order, member.worker.key))
        until = perf_counter() + PREPARED_S
        while True:
            answer = await self._call(member, worker_calls.poll, self._nonce)
            if answer["state"] == "ready":
                return
            if answer["state"] == "failed":
                kind = NotApplicable if answer["error"] == "NotApplicable" else Unmeasurable
                raise kind(f"worker {member.worker.label}: {answer['message']}", hint=answer["hint"])
            if perf_counter() > until:
                raise WorkerLost(f"worker {member.worker.label} was not ready within {PREPARED_S:g} s")
            await asyncio.sleep(0.05)

    async def _measure_clock(self, member: Member, gate: asyncio.Semaphore) -> None:
        """Measure how far the clock of a worker is from ours. Raises Unmeasurable if it is too uncertain."""
        async with gate:
            member.offset = await measure_offset(lambda: self._call(member, worker_calls.clock), START_BOUND_S)
        if member.offset.uncertainty_s > START_BOUND_S:
            raise Unmeasurable(
                f"worker {member.worker.label} and this process cannot agree on a start: its clock is known to "
                f"{member.offset.uncertainty_s * 1000:.0f} ms only, and {START_BOUND_S * 1000:.0f} ms are allowed"
            )

    async def _begin(self) -> None:
        """Agree on the instant; it is far enough ahead for the slowest round trip."""
        slowest_s = max(member.offset.uncertainty_s for member in self.members if member.offset)
        begun = perf_counter()
        self.at = begun + LEAD_S + 6 * slowest_s + len(self.members) / POLLS_A_S
        within_s = self._until - self.at
        allow_time(self._load.params.warmup + self._load.params.for_s, within_s)

        async def start(member: Member) -> None:
            assert member.offset is not None
            await self._call(member, worker_calls.start, self._nonce, self.at + member.offset.offset_s, within_s)

        await self._all(start)

    async def _watch(self, member: Member) -> None:
        """Ask a worker again and again until it has ended, or is lost; then the others end early."""
        try:
            while member.part is None:
                if perf_counter() > self._until:
                    raise WorkerLost(f"worker {member.worker.label} has not come to its end in time")
                answer = await self._call(member, worker_calls.poll, self._nonce)
                self._take(member, answer)
                if member.part is None:
                    await asyncio.sleep(self._poll_s)
        except WorkerLost as lost:
            member.lost = lost.message
            self._cluster.lost[member.worker.address] = lost.message
            await self.end(lost.message)

    def _take(self, member: Member, answer: Any) -> None:
        """Take what a worker answered. Raises WorkerLost where its share has failed."""
        if answer["state"] == "failed":
            raise WorkerLost(f"worker {member.worker.label}: {answer['message']}")
        if answer["begun_at"] is not None and member.offset is not None:
            member.begun_at = answer["begun_at"] - member.offset.offset_s
        member.news = answer["news"] or member.news
        if answer["state"] == "done":
            member.part = answer["part"]
        self._judge()

    def _judge(self) -> None:
        """End the load where all workers together have reached its `stop_at`; show the progress."""
        news: list[Any] = [member.news for member in self.members if member.news]
        if not news:
            return
        limit = self._load.params.stop_at
        # For a moment one worker is in the warm-up and another in the load; their counts are not of the same time.
        same_phase = len({each["moment"]["phase"] for each in news}) == 1
        if limit is not None and self._ended_because is None and same_phase:
            ended, errors = (sum(each[name] for each in news) for name in ("ended", "errors"))
            waited_s = max(each["waited_s"] for each in news)
            name = "" if news[0]["moment"]["phase"] == "load" else " of the warm-up"
            if (why := limit.why(ended, errors, waited_s, name)) is not None:
                self._ended_because = why
                self._ending = asyncio.create_task(self.end(why))
        now = perf_counter()
        if now - self._progress.shown_at >= 2 * POLL_S:
            moment = _sum([each["moment"] for each in news])
            line = self._progress.line(moment, now)
            self._load.ctx.progress(f"{len(self.members)} workers: {line}")

    async def end(self, why: str) -> None:
        """End the shares of all workers early, with their figures."""
        self._ended_because = self._ended_because or why
        going_on = [member for member in self.members if member.part is None and member.lost is None]
        calls = (self._call(member, worker_calls.end, self._nonce, why) for member in going_on)
        await asyncio.gather(*calls, return_exceptions=True)

    async def _stop(self) -> None:
        """End the load on all workers and have them forget it, within a time limit."""
        calls = (
            self._cluster.call(member.worker, worker_calls.stop, self._nonce, within_s=STOP_S)
            for member in self.members
            if member.lost is None
        )
        await asyncio.gather(*calls, return_exceptions=True)


def _sum(moments: list[JsonObject]) -> Moment:
    """Add up the moments of all workers for the progress line."""
    first: Any = moments[0]
    counts: Any = {name: sum(int(str(each[name])) for each in moments) for name in ("count", "busy", "errors")}
    return Moment(**{**first, **counts, "latency": ""})
