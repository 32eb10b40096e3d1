"""Circuit breakers whose state is in Redis, and in memory while Redis is gone."""

from __future__ import annotations

import asyncio
import json
import math
import time
from dataclasses import asdict, dataclass, field, fields, replace

from redis.asyncio import Redis

from tests.field.api.errors import StackError
from tests.field.api.store import Store, StoreDownError

_CLOSE_AFTER = 3
_KEEP_S = 7200
_SWAP = """
local now = redis.call('GET', KEYS[1])
if (now or '') ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[2], 'EX', ARGV[3])
return 1
"""


@dataclass(frozen=True, slots=True)
class State:
    """The state of a breaker as it is stored."""

    state: str = "closed"
    failure_count: int = 0
    last_failure_time: float | None = None
    success_count: int = 0
    last_success_time: float | None = None
    total_calls: int = 0
    total_failures: int = 0
    total_successes: int = 0
    transitions: list[dict[str, str | float]] = field(default_factory=list)

    def to(self, state: str, now: float) -> State:
        """Return this breaker in another state."""
        if state == self.state:
            return self
        change: dict[str, str | float] = {"from_state": self.state, "to_state": state, "timestamp": now}
        return replace(self, state=state, success_count=0, transitions=[*self.transitions, change][-10:])


_FIELDS = {entry.name for entry in fields(State)}


def _parse(text: str | bytes | None) -> State:
    try:
        stored = json.loads(text) if text else {}
        return State(**{name: value for name, value in stored.items() if name in _FIELDS})
    except (ValueError, TypeError, AttributeError):
        return State()


def after(state: State, event: str, threshold: int, now: float) -> State:
    """Return the state after a `trial` (a call let through), a `success` or a `failure`."""
    if event == "trial":
        return state.to("half_open", now) if state.state == "open" else state
    if event == "success":
        state = replace(
            state,
            last_success_time=now,
            total_calls=state.total_calls + 1,
            total_successes=state.total_successes + 1,
        )
        if state.state == "closed":
            return replace(state, failure_count=0)
        if state.state == "half_open":
            state = replace(state, success_count=state.success_count + 1)
            if state.success_count >= _CLOSE_AFTER:
                return replace(state.to("closed", now), failure_count=0)
        return state
    state = replace(
        state,
        failure_count=state.failure_count + 1,
        last_failure_time=now,
        total_calls=state.total_calls + 1,
        total_failures=state.total_failures + 1,
    )
    opens = state.state == "half_open" or (state.state == "closed" and state.failure_count >= threshold)
    return state.to("open", now) if opens else state


class Breaker:
    """One breaker. Its events are written to Redis in batches, so that no call waits for many others."""

    def __init__(self, name: str, threshold: int, recovery_s: float, store: Store) -> None:
        self.name, self.threshold, self.recovery_s = name, threshold, recovery_s
        self._store = store
        self._memory = State()
        self._ahead = False  # memory has events that Redis lacks
        self._events: list[str] = []
        self._writer: asyncio.Task[None] | None = None

    async def enter(self) -> None:
        """Admit a call. Raise StackError of category circuit_open while open."""
        state = await self.current()
        if state.state != "open":
            return
        left = (state.last_failure_time or 0.0) + self.recovery_s - time.time()
        if left > 0:
            raise StackError(
                "circuit_open",
                "circuit_open_a24e",
                "The service is resting after repeated failures.",
                details={"service_name": self.name},
                retry_after=max(1, math.ceil(left)),
            )
        await self._record("trial")

    async def leave(self, *, succeeded: bool) -> None:
        """Record the result of a call."""
        await self._record("success" if succeeded else "failure")

    async def current(self) -> State:
        """Return the state, from Redis if it answers."""
        if self._ahead:
            await self._flush()
        if not self._ahead:
            try:
                text = await self._store.call(lambda client: client.get(self._key))
                self._memory = _parse(text)
            except StoreDownError:
                pass
        return self._memory

    @property
    def _key(self) -> str:
        return f"circuit_breaker:{self.name}"

    async def _record(self, event: str) -> None:
        self._events.append(event)
        await self._flush()

    async def _flush(self) -> None:
        if self._writer is None or self._writer.done():
            self._writer = asyncio.create_task(self._write())
        await asyncio.shield(self._writer)

    async def _write(self) -> None:
        while self._events or self._ahead:
            events, self._events = self._events, []
            try:
                await self._store.call(lambda client, batch=events: self._swap(client, batch))  # type: ignore[misc]
                self._ahead = False
            except StoreDownError:
                self._memory = self._apply(self._memory, events)
                self._ahead = True
                return

    async def _swap(self, client: Redis, events: list[str]) -> None:
        while True:
            text = await client.get(self._key)
            state = self._apply(self._memory if self._ahead else _parse(text), events)
            changed = await client.eval(_SWAP, 1, self._key, text or "", json.dumps(asdict(state)), str(_KEEP_S))
            if changed:
                self._memory = state
                return

    def _apply(self, state: State, events: list[str]) -> State:
        for event in events:
            state = after(state, event, self.threshold, time.time())
        return state
