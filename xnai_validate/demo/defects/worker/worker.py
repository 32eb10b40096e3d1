"""A worker that does not work, does not acknowledge, or handles entries wrongly."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable

from redis.exceptions import RedisError

from xnai_validate.demo.defects.defect import Defect
from xnai_validate.demo.services.worker import (
    CONSUMER,
    Entry,
    Fields,
    Unhandled,
    Worker,
    curated,
    groups,
    tries_allowed,
)

Handle = Callable[[Worker, str, Entry], Awaitable[None]]
Take = Callable[[Worker, str, str, Entry], Awaitable[None]]

IDLE = Defect(
    "worker-idle",
    "The worker runs and reads nothing: entries pile up undelivered.",
    checks=("dependencies/chain:worker-groups",),
)


@IDLE.wraps(Worker.prepare)
async def prepare_with_entries(prepare: Callable[[Worker], Awaitable[None]], /, self: Worker) -> None:
    """Add an entry to each stream at the start, so that one waits: before Redis 7.2 an idle reader cannot be seen."""
    await prepare(self)
    with contextlib.suppress(RedisError, OSError):
        for stream in groups():
            await self.redis.xadd(stream, {"type": "ping", "sender": CONSUMER})


@IDLE.wraps(Worker.consume)
async def consume_nothing(_: Callable[[Worker, str], Awaitable[None]], /, self: Worker, stream: str) -> None:
    """Read no entries of a stream, for ever."""
    await asyncio.sleep(float("inf"))


NEVER_ACKS = Defect(
    "worker-never-acks",
    "The worker never acknowledges: pending entries grow.",
    checks=("dependencies/chain:nothing-pending",),
)


@NEVER_ACKS.wraps(Worker.prepare)
async def prepare_with_an_entry(prepare: Callable[[Worker], Awaitable[None]], /, self: Worker) -> None:
    """Add an entry to the bus at the start, so that one is pending without any client."""
    await prepare(self)
    with contextlib.suppress(RedisError, OSError):
        await self.redis.xadd("xnai:agent_bus", {"type": "ping", "sender": CONSUMER})


@NEVER_ACKS.wraps(Worker.acknowledge)
async def acknowledge_nothing(
    _: Callable[[Worker, str, str], Awaitable[None]], /, self: Worker, stream: str, entry_id: str
) -> None:
    """Acknowledge no entry."""


CLAIMS_FOR_EVER = Defect(
    "worker-claims-for-ever",
    "An entry that cannot be handled stays pending, and is claimed again and again.",
    checks=("dependencies/chain:nothing-pending",),
)
_POISON: Entry = {"type": "task", "payload": "cut off"}


@CLAIMS_FOR_EVER.wraps(Worker.prepare)
async def prepare_with_poison(prepare: Callable[[Worker], Awaitable[None]], /, self: Worker) -> None:
    """Add an entry that cannot be handled to the bus at the start."""
    await prepare(self)
    with contextlib.suppress(RedisError, OSError):
        fields: Fields = dict(_POISON.items())
        await self.redis.xadd("xnai:agent_bus", fields)


@CLAIMS_FOR_EVER.wraps(Worker.take)
async def claim_until_handled(take: Take, /, self: Worker, stream: str, entry_id: str, entry: Entry) -> None:
    """Handle an entry; claim one that cannot be handled again and again, beside the others."""
    if entry == _POISON:
        task = asyncio.create_task(_claim_for_ever(self, stream, entry_id))
        _CLAIMING.add(task)
        task.add_done_callback(_CLAIMING.discard)
    else:
        await take(self, stream, entry_id, entry)


_CLAIMING: set[asyncio.Task[None]] = set()


async def _claim_for_ever(worker: Worker, stream: str, entry_id: str) -> None:
    """Claim an entry 20 times a second: its idle time stays 0."""
    while True:
        with contextlib.suppress(RedisError, OSError):
            await worker.redis.xclaim(stream, groups()[stream], CONSUMER, 0, [entry_id])
        await asyncio.sleep(0.05)


ACKS_BLINDLY = Defect(
    "worker-acks-blindly",
    "The worker acknowledges without doing the work: no result appears.",
    checks=("dependencies/chain:worker-works",),
)


@ACKS_BLINDLY.wraps(Worker.handle)
async def handle_nothing(_: Handle, /, self: Worker, stream: str, entry: Entry) -> None:
    """Do no work for an entry, which is acknowledged all the same."""


NO_GROUP = Defect(
    "worker-no-group",
    "The consumer group of the memory updates does not exist.",
    checks=("dependencies/chain:memory-group",),
).changes(groups, lambda named: {stream: group for stream, group in named.items() if group != "memory_sync"})

READS_ONE_STREAM = Defect(
    "worker-reads-one-stream",
    "The worker makes every group and reads the bus alone: memory updates and alerts pile up.",
    checks=("dependencies/chain:memory-group", "dependencies/chain:alerts-group"),
)


READS_ONE_STREAM.wraps(Worker.prepare)(prepare_with_entries)


@READS_ONE_STREAM.wraps(Worker.consume)
async def consume_bus(consume: Callable[[Worker, str], Awaitable[None]], /, self: Worker, stream: str) -> None:
    """Read the entries of the bus, and of no other stream."""
    if stream != "xnai:agent_bus":
        await asyncio.sleep(float("inf"))
    await consume(self, stream)


DROPS_POISON = Defect(
    "worker-drops-poison",
    "Entries that cannot be handled vanish instead of going to the dead-letter stream.",
    checks=("recovery/poison:set-aside",),
)


@DROPS_POISON.wraps(Worker.set_aside)
async def drop(
    _: Callable[[Worker, str, str, Entry, Unhandled], Awaitable[None]],
    /,
    self: Worker,
    stream: str,
    entry_id: str,
    entry: Entry,
    error: Unhandled,
) -> None:
    """Drop an entry that cannot be handled, without writing it to the dead-letter stream."""


STUCK_ON_POISON = Defect(
    "worker-stuck-on-poison",
    "An entry that cannot be handled is tried for ever and blocks those behind it.",
    checks=("recovery/poison:nothing-behind-waits",),
).changes(tries_allowed, lambda _: float("inf"))


@STUCK_ON_POISON.wraps(Worker.handle)
async def handle_slowly_if_poison(handle: Handle, /, self: Worker, stream: str, entry: Entry) -> None:
    """Handle an entry; one that cannot be handled fails after 0.2 seconds, and is tried for ever."""
    try:
        await handle(self, stream, entry)
    except Unhandled:
        await asyncio.sleep(0.2)
        raise


REPEATS = Defect("worker-repeats", "Every job is done twice.", checks=("dependencies/chain:worker-works",))


@REPEATS.wraps(Worker.handle)
async def handle_twice(handle: Handle, /, self: Worker, stream: str, entry: Entry) -> None:
    """Handle an entry twice."""
    await handle(self, stream, entry)
    await handle(self, stream, entry)


SLOW = Defect(
    "worker-slow", "A job that takes milliseconds takes seconds.", checks=("dependencies/chain:worker-works",)
)


@SLOW.wraps(Worker.take)
async def take_late(take: Take, /, self: Worker, stream: str, entry_id: str, entry: Entry) -> None:
    """Handle an entry four seconds late."""
    await asyncio.sleep(4.0)
    await take(self, stream, entry_id, entry)


BAD_RESULT = Defect(
    "worker-bad-result",
    "Jobs are reported as completed without a result.",
    checks=("dependencies/chain:worker-result",),
).changes(curated, lambda _: {})
