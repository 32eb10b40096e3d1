"""Circuit breakers whose state lives in Redis, where all workers share it, and in memory while Redis is gone.

Outcomes are written by one task (`breakers.Breakers.run`): those that arrive during a write are written
together by the next. So calls never queue for a lock, however many there are, and a call that is cancelled loses no
write.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from functools import reduce

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
from xnai_validate.demo.api.breakers.trials import Trials
from xnai_validate.demo.api.failures import CircuitOpen, ServiceFailure, StoreUnavailable
from xnai_validate.demo.api.monitoring.metrics import BREAKER_STATES, Metrics
from xnai_validate.demo.api.store import Store
from xnai_validate.demo.seams import seam
from xnai_validate.demo.settings import Settings

KEY_PREFIX = "circuit_breaker:"

_LEAST_TTL_S = 3600
_ATTEMPTS = 100
_UNSAVED_MOST = 1000
_SWAP = """
local current = redis.call('GET', KEYS[1]) or ''
if current ~= ARGV[1] then return current end
if ARGV[3] == '0' then redis.call('SET', KEYS[1], ARGV[2]) else redis.call('SET', KEYS[1], ARGV[2], 'EX', ARGV[3]) end
return false
"""


@seam
def counts(failure: ServiceFailure) -> bool:
    """Whether a failure counts against the breaker."""
    return True


@seam
def ttl_s(rule: Rule) -> int:
    """Seconds that the key lives after a write: it outlives the recovery time and a restart by far."""
    return max(_LEAST_TTL_S, int(10 * rule.recovery_s))


@seam
def serialised(snapshot: Snapshot) -> str:
    """The content of the key."""
    return snapshot.model_dump_json()


class Breaker:
    """One breaker, as this worker knows it."""

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
        self.text = ""
        """The content of the key when it was last read or written."""
        self._agreed = Snapshot()
        """The state that Redis had last."""
        self._unsaved: deque[Event] = deque(maxlen=_UNSAVED_MOST)
        """Events since then that could not be written."""
        self._view = self._agreed
        self._trials = Trials(rule, self.key, store, now, rule.recovery_s + settings.times.call_timeout_s)
        self._inbox: list[tuple[Event | None, asyncio.Future[None]]] = []
        self._set_view(self._view)

    @property
    def view(self) -> Snapshot:
        """The state that this worker knows."""
        return self._view

    @seam
    @asynccontextmanager
    async def call(self) -> AsyncIterator[None]:
        """Do one call under the breaker.

        A `ServiceFailure` counts as failed, no exception as succeeded, any other exception as neither.

        Raises `CircuitOpen` instead of beginning if the breaker is open, or half open with enough trials under way.
        """
        place = await self.admit()
        is_trial = place is not None
        try:
            yield
        except ServiceFailure as failure:
            if counts(failure):
                await self._record_outcome(failed=True, trial=is_trial)
            raise
        else:
            await self._record_outcome(failed=False, trial=is_trial)
        finally:
            if place is not None:
                await self._trials.give_back(place)

    async def refresh(self) -> None:
        """Agree with Redis: take over its state, write what is missing, renew the time to live."""
        await self._submit(None)

    @seam
    def observe(self, text: str | bytes | None) -> None:
        """Take over the content of the key, which was read together with other keys."""
        if text and not self._unsaved and text != self.text and (snapshot := parse(text)) is not None:
            self.text = str(text)
            self.take_over(snapshot)

    def take_over(self, snapshot: Snapshot) -> None:
        """Take over a state that Redis has."""
        self._agreed = snapshot
        self._set_view(snapshot)

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

    @seam
    async def admit(self) -> str | None:
        """The place of the call among the trials; None if the breaker is closed. Raises `CircuitOpen`."""
        view = await self.read()
        if view.state is State.OPEN:
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
        if place is None:
            raise CircuitOpen(self.rule.name, min(1.0, self.rule.recovery_s))
        return place

    async def _record_outcome(self, *, failed: bool, trial: bool) -> None:
        """Record the outcome of a call, and count a failure in the metrics; `trial`: the breaker is half open."""
        if failed:
            self._metrics.breaker_failures.labels(self.rule.name).inc()
        await self._submit(Outcome(failed, trial, self._now()))

    async def _submit(self, event: Event | None) -> None:
        """Hand an event to the writing task and wait until it is written."""
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._inbox.append((event, done))
        self._wake()
        await done

    async def stored(self) -> str | None:
        """The content of the key now; None if Redis refuses to read it. Raises `StoreUnavailable`."""
        try:
            text = await self._store.run(lambda redis: redis.get(self.key))
        except RedisError:
            return None
        return None if text is None else str(text)

    @seam
    async def read(self) -> Snapshot:
        """The state as Redis has it now; as this worker knows it if Redis does not answer."""
        try:
            text = await self.stored()
        except StoreUnavailable as error:
            return self.without_redis(error)
        if not text or self._unsaved:
            await self.refresh()
        else:
            self.observe(text)
        return self._view

    @seam
    def without_redis(self, error: StoreUnavailable) -> Snapshot:
        """The state to go by while Redis does not answer."""
        return self._view

    async def _commit(self, events: list[Event]) -> None:
        """Apply events to the state in Redis: compare and swap, repeated while another worker was quicker.

        Events that cannot be written are kept, and applied to the state of Redis when it is back.
        """
        self._unsaved.extend(events)
        changed = self._apply_events(self._view, events)
        was_there = bool(self.text)
        for _ in range(_ATTEMPTS):
            text = serialised(changed)
            try:
                current = await self.swap(text)
            except (StoreUnavailable, RedisError):
                break
            if current is None:
                self.text, self._agreed = text, changed
                self._unsaved.clear()
                break
            if not current and was_there and changed.state is State.CLOSED:
                # The key was lost: a worker that knows it as open, unlike this one, may write that first.
                was_there = False
                await asyncio.sleep(self._settings.times.monitor_interval_s / 2)
            self.text, self._agreed = current, self.agreed_with(current)
            changed = self._apply_events(self._agreed, self._unsaved)
        self._set_view(changed)

    def agreed_with(self, text: str) -> Snapshot:
        """The state that follows from the content of the key: the last state known if it is lost or unreadable."""
        return parse(text) or self._agreed

    def _apply_events(self, snapshot: Snapshot, events: Iterable[Event]) -> Snapshot:
        """Return the state after several events."""
        return reduce(lambda before, event: after(before, event, self.rule), events, snapshot)

    @seam
    async def swap(self, text: str) -> str | None:
        """Write the key if its content is still `self.text`; else return its content, "" for a missing key.

        Returns None if it was written. Raises StoreUnavailable, RedisError.
        """
        return await self._store.run(lambda redis: self._compare_and_swap(redis, text))

    async def _compare_and_swap(self, redis: Redis, text: str) -> str | None:
        """Write the new state unless Redis has another than was read; return that other one, else None."""
        try:
            current = await redis.eval(_SWAP, 1, self.key, self.text, text, str(ttl_s(self.rule)))
        except ResponseError as error:
            if "WRONGTYPE" not in str(error):
                raise
            await redis.delete(self.key)
            current = ""
        return None if current is None else str(current)

    def _set_view(self, snapshot: Snapshot) -> None:
        """Remember the state and show it in the metrics."""
        self._view = snapshot
        self.show(snapshot)

    @seam
    def show(self, snapshot: Snapshot) -> None:
        """Set the gauge of the state."""
        self._metrics.breakers.labels(self.rule.name).set(BREAKER_STATES[snapshot.state.value])
