"""Where alerts are received: a webhook of our own and a Redis stream, in one list with the time of each arrival."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace

from xnai_validate.checkers.alert._notice import Notice, flat, posted
from xnai_validate.checkers.alert._webhook_receiver import Delivery, receiving
from xnai_validate.kit import Context, Target
from xnai_validate.wire.failure import WireError
from xnai_validate.wire.redis.client import connect_redis
from xnai_validate.wire.redis.connection import RedisConnection
from xnai_validate.wire.redis.replies import list_of, map_of, text_of

RECEIPTS_CAP = 5_000
EVERY_S = 0.05
"""How often the stream is looked at."""
AT_ONCE = 200
"""Entries of the stream that are read together."""
ANSWER_S = 2.0
"""How long Redis may take to answer."""
LAST_LOOK_S = 2 * ANSWER_S + 1.0
"""How long the look at the stream may take that begins when the time of a wait is over."""
AHEAD_S = 60.0
"""How far the clock of a stack may be ahead of ours."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """An alert and how it arrived."""

    channel: str
    notice: Notice
    at_s: float
    """By the run's monotonic clock."""


class Inbox:
    """All that was received, oldest first, and a way to wait for more."""

    def __init__(self, ctx: Context, required: Sequence[str], refuse: int) -> None:
        """`required`: fields that a flat alert must have; `refuse`: deliveries to answer with 503 first."""
        self._ctx = ctx
        self._required = required
        self._refuse = refuse
        self._news = asyncio.Event()
        self.receipts: list[Receipt] = []
        self.refused_count = 0
        self._looked_s: float | None = None
        """When the last look at the stream began that was answered; None without a stream."""
        self.silent: dict[str, str] = {}
        """Channel -> why nothing can be received there now."""

    def take(self, channel: str, notices: Iterable[Notice]) -> None:
        """Note what has just arrived."""
        at_s, now = self._ctx.clock.monotonic(), self._ctx.clock.time()
        for notice in notices:
            if len(self.receipts) < RECEIPTS_CAP:
                self.receipts.append(Receipt(channel, _with_future(notice, now), at_s))
        self._news.set()

    async def wait(self, until: Callable[[], bool], within_s: float) -> bool:
        """Wait until `until` holds, looked at after each arrival; whether it did in time.

        What arrived in time is read a little later: when the time is over, a look at the stream is awaited that began
        afterwards.
        """
        deadline = self._ctx.clock.monotonic() + within_s
        while not until():
            left = deadline - self._ctx.clock.monotonic()
            if left <= 0:
                await self._look_after(deadline)
                return until()
            self._news.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(left):
                    await self._news.wait()
        return True

    async def _look_after(self, deadline: float) -> None:
        """Wait until a look at the stream that began at `deadline` or later is answered; not for ever."""
        clock = self._ctx.clock
        while True:
            await clock.sleep(EVERY_S)  # also lets the webhook take what the kernel has already received
            is_seen = self._looked_s is None or self._looked_s >= deadline
            if is_seen or clock.monotonic() >= deadline + LAST_LOOK_S:
                return

    def answer(self, delivery: Delivery) -> int:
        """Take a delivery of the webhook; return the status to answer with."""
        if self.refused_count < self._refuse:
            self.refused_count += 1
            return 503
        self.take("webhook", posted(delivery.body, self._required))
        return 200

    @asynccontextmanager
    async def webhook(self, host: str, port: int) -> AsyncIterator[int]:
        """Receive by HTTP while the context lasts; the value is the port. Raises Unmeasurable where it cannot."""
        async with receiving(host, port, self.answer) as bound:
            yield bound

    @asynccontextmanager
    async def stream(self, target: Target, key: str) -> AsyncIterator[None]:
        """Follow a stream from its present end on while the context lasts.

        An outage of Redis meanwhile is survived, for it may be the very thing that the alert is about.
        """
        self._looked_s = self._ctx.clock.monotonic()
        last_id = await self._last_id(target, key)
        follower = asyncio.create_task(self._follow(target, key, last_id))
        try:
            yield
        finally:
            follower.cancel()
            await asyncio.gather(follower, return_exceptions=True)

    async def _last_id(self, target: Target, key: str) -> str:
        """Return the id of the newest entry; raises WireError if Redis does not answer."""
        async with asyncio.timeout(ANSWER_S):
            connection = await connect_redis(target)
            try:
                newest = list_of(await connection.command("XREVRANGE", key, "+", "-", "COUNT", 1))
            finally:
                connection.abort()
        return text_of(list_of(newest[0])[0]) if newest else "0-0"

    async def _follow(self, target: Target, key: str, last_id: str) -> None:
        """Take in the entries of a Redis stream after `last_id` until cancelled; after a failure, connect again."""
        connection: RedisConnection | None = None
        try:
            while True:
                begun_s = self._ctx.clock.monotonic()
                try:
                    async with asyncio.timeout(ANSWER_S):
                        if connection is None or not connection.usable:
                            connection = await connect_redis(target)
                        entries = await _entries_after(connection, key, last_id)
                    self.silent.pop("stream", None)
                except (WireError, TimeoutError) as failure:
                    detail = failure.detail if isinstance(failure, WireError) else f"no answer within {ANSWER_S:g} s"
                    self.silent["stream"] = detail
                    if connection is not None:
                        connection.abort()
                    connection, entries = None, []
                if entries:
                    last_id = entries[-1][0]
                    self.take("stream", [flat(fields, self._required) for _, fields in entries])
                if len(entries) < AT_ONCE:
                    self._looked_s = self._looked_s if "stream" in self.silent else begun_s
                    await self._ctx.clock.sleep(EVERY_S)
        finally:
            if connection is not None:
                connection.abort()


def _with_future(notice: Notice, now: float) -> Notice:
    """The notice, with a fault where its time has not come yet, as local time that is called UTC."""
    ahead_s = (notice.sent_at or 0.0) - now
    if ahead_s <= AHEAD_S:
        return notice
    return replace(notice, faults=(*notice.faults, f"the time is {ahead_s:.0f} s ahead of its arrival"))


def fresh(receipt: Receipt, since: float) -> bool:
    """Return False if an alert arose before a point in time (seconds since the epoch), by its own account."""
    return receipt.notice.sent_at is None or receipt.notice.sent_at >= since


async def _entries_after(connection: RedisConnection, key: str, last_id: str) -> list[tuple[str, dict[str, str]]]:
    """The next entries of a stream, each with its id. XREAD without BLOCK, so that a lost answer is noticed."""
    reply = await connection.command("XREAD", "COUNT", AT_ONCE, "STREAMS", key, last_id)
    if not reply:
        return []
    rows = list_of(list_of(reply)[0])[1]
    entries = []
    for row in list_of(rows):
        entry_id, fields = list_of(row)[:2]
        entries.append((text_of(entry_id), {name: text_of(value) for name, value in map_of(fields).items()}))
    return entries
