"""Circuit breakers whose state lives in Redis, where all workers share it, and in memory while Redis is gone.

Outcomes are written by one task (`breakers.Breakers.run`): those that arrive while a write is under way go into the
next one together. So callers never queue for a lock, however many they are, and a caller that is cancelled takes no
write with it.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from functools import partial, reduce

from redis.asyncio import Redis
from redis.exceptions import RedisError, ResponseError

from xnai_validate.demo.api.breakers.state import (
    Event,
    Outcome,
    Rule,
    Snapshot,
    State,
    Trial,
    after,
    parse,
    remaining_s,
)
from xnai_validate.demo.api.breakers.trials import UNCOUNTED, Trials
from xnai_validate.demo.api.failures import CircuitOpen, ServiceFailure, ServiceTimeout, StoreUnavailable
from xnai_validate.demo.api.monitoring.metrics import BREAKER_STATES, Metrics
from xnai_validate.demo.api.store import Store
from xnai_validate.demo.settings import Settings

KEY_PREFIX = "circuit_breaker:"

_LEAST_TTL_S = 3600
_ATTEMPTS = 100
_UNSAVED_MOST = 1000
_SLOW_REFUSAL_S = 4.0
_SWAP = """
local current = redis.call('GET', KEYS[1]) or ''
if current ~= ARGV[1] then return current end
if ARGV[3] == '0' then redis.call('SET', KEYS[1], ARGV[2]) else redis.call('SET', KEYS[1], ARGV[2], 'EX', ARGV[3]) end
return false
"""


class Breaker:
    """One breaker, as this worker sees it."""

    def __init__(
        self,
        rule: Rule,
        store: Store,
        metrics: Metrics,
        settings: Settings,
        wake: Callable[[], None],
        now: Callable[[], float],
    ) -> None:
        self.rule = rule
        self.key = KEY_PREFIX + rule.name
        self._store, self._metrics, self._settings = store, metrics, settings
        self._wake, self._now = wake, now
        self._text = ""
        self._agreed = Snapshot()
        """The state that Redis had last."""
        self._unsaved: deque[Event] = deque(maxlen=_UNSAVED_MOST)
        """What happened since, and could not be written."""
        self._view = self._agreed
        self._trials = Trials(rule, self.key, store, now, rule.recovery_s + settings.times.call_timeout_s)
        self._estranged = False
        """Whether it has turned away from Redis for good, as a defect has it."""
        self._inbox: list[tuple[Event | None, asyncio.Future[None]]] = []
        self._one_by_one = asyncio.Lock()
        self._see(self._view)

    @property
    def view(self) -> Snapshot:
        """The breaker as it was seen last."""
        return self._view

    @asynccontextmanager
    async def call(self) -> AsyncIterator[None]:
        """Do one call under the breaker.

        A `ServiceFailure` counts as failed, no exception as succeeded, any other exception as neither.

        Raises `CircuitOpen` instead of beginning where the breaker is open, or half open with enough trials under way.
        """
        try:
            place = await self._admit()
        except CircuitOpen:
            if self._settings.broken("breaker-refuses-slowly"):
                await asyncio.sleep(_SLOW_REFUSAL_S)
            raise
        trial = place is not None
        try:
            if self._settings.broken("breaker-serialises-calls"):
                async with self._one_by_one:
                    yield
            else:
                yield
        except ServiceFailure as failure:
            if not (isinstance(failure, ServiceTimeout) and self._settings.broken("breaker-ignores-timeouts")):
                await self._record(failed=True, trial=trial)
            raise
        else:
            await self._record(failed=False, trial=trial)
        finally:
            if place is not None:
                await self._trials.give_back(place)

    async def refresh(self) -> None:
        """Agree with Redis: take over what is there, write what is missing, renew its time to live."""
        await self._submit(None)

    def observe(self, text: str | bytes | None) -> None:
        """Take over the state that somebody has read from Redis anyway."""
        if (
            text
            and not self._unsaved
            and not self._estranged
            and text != self._text
            and (snapshot := parse(text)) is not None
        ):
            self._text, self._agreed = str(text), snapshot
            self._see(snapshot)

    async def flush(self) -> None:
        """Write all outcomes that have come in. Called by the writing task only."""
        inbox, self._inbox = self._inbox, []
        if not inbox:
            return
        try:
            await self._commit([event for event, _ in inbox if event is not None])
        finally:
            for _, done in inbox:
                if not done.done():
                    done.set_result(None)

    async def _admit(self) -> str | None:
        """The place of the call among the trials; None where it is none. Raises `CircuitOpen`."""
        view = await self._read()
        if view.state is State.OPEN and not self._settings.broken("breaker-open-ignored"):
            remaining = remaining_s(view, self.rule, self._now())
            if remaining > 0:
                raise CircuitOpen(self.rule.name, remaining)
            await self._submit(Trial(self._now()))
            view = self._view
            if view.state is State.OPEN:
                raise CircuitOpen(self.rule.name, max(0.0, remaining_s(view, self.rule, self._now())))
        if view.state is not State.HALF_OPEN:
            return None
        place = await self._trials.take(view)
        if place is None and not self._settings.broken("breaker-half-open-admits-all"):
            raise CircuitOpen(self.rule.name, min(1.0, self.rule.recovery_s))
        return place or UNCOUNTED

    async def _record(self, *, failed: bool, trial: bool) -> None:
        if failed:
            self._metrics.breaker_failures.labels(self.rule.name).inc()
        await self._submit(Outcome(failed, trial, self._now()))

    async def _submit(self, event: Event | None) -> None:
        """Hand an event to the writing task and wait until it is written."""
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._inbox.append((event, done))
        self._wake()
        await done

    async def _read(self) -> Snapshot:
        """The breaker as Redis has it now; as memory has it where Redis cannot be asked."""
        if self._settings.broken("breaker-memory-only") or self._estranged:
            return self._view
        try:
            text = await self._store.run(lambda redis: redis.get(self.key))
        except StoreUnavailable:
            if self._settings.broken("breaker-needs-redis"):
                raise
            self._estranged = self._settings.broken("breaker-never-returns")
            return self._view
        except RedisError:
            text = None
        if not text and self._settings.broken("breaker-closes-with-key"):
            self._agreed = Snapshot()
            self._see(self._agreed)
        if not text or self._unsaved:
            await self.refresh()
        else:
            self.observe(text)
        return self._view

    async def _commit(self, events: list[Event]) -> None:
        """Apply events to the state in Redis: compare and swap, again as long as another worker was quicker.

        What cannot be written is kept, and applied to what Redis has when it is back.
        """
        self._unsaved.extend(events)
        changed = self._after(self._view, events)
        was_there = bool(self._text)
        for _ in range(_ATTEMPTS):
            written = self._written(changed)
            try:
                found = await self._store.run(partial(self._swap, written=written))
            except (StoreUnavailable, RedisError):
                self._estranged = self._settings.broken("breaker-never-returns")
                break
            if found is None:
                self._text, self._agreed = written, changed
                self._unsaved.clear()
                break
            if not found and was_there and changed.state is State.CLOSED:
                # The key was lost: whoever has seen it open, and this worker has not, may say so first.
                was_there = False
                await asyncio.sleep(self._settings.times.monitor_interval_s / 2)
            self._text, self._agreed = found, parse(found) or self._agreed
            if not found and self._settings.broken("breaker-closes-with-key"):
                self._agreed = Snapshot()
            changed = self._after(self._agreed, self._unsaved)
        self._see(changed)

    def _after(self, snapshot: Snapshot, events: Iterable[Event]) -> Snapshot:
        return reduce(lambda before, event: after(before, event, self.rule), events, snapshot)

    async def _swap(self, redis: Redis, written: str) -> str | None:
        """Write the state if Redis still has the one last seen: None, or what it has instead."""
        if self._settings.broken("breaker-keys-missing"):
            return None
        if self._estranged or (self._settings.broken("breaker-memory-only") and self._text):
            return None
        ttl = str(self._ttl_s())
        try:
            found = await redis.eval(_SWAP, 1, self.key, self._text, written, ttl)
        except ResponseError as error:
            if "WRONGTYPE" not in str(error):
                raise
            await redis.delete(self.key)
            found = ""
        return None if found is None else str(found)

    def _ttl_s(self) -> int:
        """The state outlives the recovery time and a restart by far; 0: for ever."""
        if self._settings.broken("breaker-key-without-ttl"):
            return 0
        if self._settings.broken("breaker-key-short-ttl"):
            return max(1, int(self.rule.recovery_s / 2))
        return max(_LEAST_TTL_S, int(10 * self.rule.recovery_s))

    def _written(self, snapshot: Snapshot) -> str:
        """The content of the key."""
        if self._settings.broken("breaker-key-not-json"):
            return f"Snapshot(state={snapshot.state.value!r}, failure_count={snapshot.failure_count})"
        if self._settings.broken("breaker-key-torn-when-open") and snapshot.state is State.OPEN:
            return snapshot.model_dump_json()[:40]
        return snapshot.model_dump_json()

    def _see(self, snapshot: Snapshot) -> None:
        self._view = snapshot
        if self._settings.broken("breaker-metric-stuck"):
            snapshot = Snapshot()
        self._metrics.breakers.labels(self.rule.name).set(BREAKER_STATES[snapshot.state.value])
