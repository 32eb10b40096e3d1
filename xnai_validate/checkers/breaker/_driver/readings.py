"""The state of a breaker as other places show it: its key in Redis, and observations such as metrics."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from typing import get_args

from xnai_validate.checkers._steps import failure
from xnai_validate.checkers._watch import Missing, read
from xnai_validate.checkers.breaker._models import BreakerParams, State
from xnai_validate.kit import Context, JsonObject, JsonValue, XnaiError
from xnai_validate.wire.content import document_of
from xnai_validate.wire.failure import WireError
from xnai_validate.wire.redis.client import RedisClient
from xnai_validate.wire.redis.replies import RedisRefusal, list_of, number_of, text_of

READ_S = 2.0
"""How long Redis may take for one reading."""
CONTENT_CAP = 64 * 1024
PAUSE_S = 0.02


@dataclass(frozen=True, slots=True)
class Reading:
    """The key in Redis, read between `begun_s` and `read_s` (seconds of the monotonic clock)."""

    begun_s: float
    read_s: float
    readable: bool = False
    """Whether Redis answered."""
    present: bool = False
    """Whether the key is there."""
    document: JsonObject | None = None
    """The content, if it is a JSON object."""
    state: State | None = None
    """The state that the content names, if it names one."""
    ttl_s: float | None = None
    """The time to live of the key; None if it does not expire or does not exist."""
    server_time_s: float | None = None
    """Seconds since the epoch by the clock of Redis."""

    def number(self, field: str) -> float | None:
        """A number in the content; None for anything else."""
        value = (self.document or {}).get(field)
        return value if isinstance(value, int | float) and not isinstance(value, bool) else None

    @property
    def counted(self) -> float | None:
        """How many calls the breaker has counted, those that succeeded and those that failed."""
        failures, successes = self.number("total_failures"), self.number("total_successes")
        return None if failures is None or successes is None else failures + successes


class Readings:
    """Reads the state of a breaker, and keeps how the key in Redis changed."""

    def __init__(self, params: BreakerParams, ctx: Context) -> None:
        self._params, self._ctx = params, ctx
        self._client: RedisClient | None = None

    @property
    def keyed(self) -> bool:
        """Whether a key in Redis is known."""
        return self._params.key is not None

    async def key(self) -> Reading | None:
        """Read the key now; None if no key is known. Raises NotApplicable if Redis is not configured."""
        if self._params.key is None:
            return None
        begun_s = self._ctx.clock.monotonic()
        try:
            async with asyncio.timeout(READ_S):
                reading = await self._read(self._params.key)
        except (WireError, TimeoutError):
            reading = Reading(0, 0)
        return replace(reading, begun_s=begun_s, read_s=self._ctx.clock.monotonic())

    async def _read(self, key: str) -> Reading:
        """Read the key of a breaker in Redis, with its remaining lifetime and the time of the server."""
        if self._client is None:
            target = self._ctx.target_named(self._params.redis)
            self._client = await self._ctx.shared(("redis", target), lambda: RedisClient(target))
        commands = (("TIME",), ("PTTL", key), ("GETRANGE", key, 0, CONTENT_CAP - 1), ("EXISTS", key))
        async with self._client.connection() as connection:
            time, ttl, content, exists = await connection.pipeline(commands)
        if isinstance(exists, RedisRefusal):
            raise exists
        seconds, micros = [int(text_of(part)) for part in list_of(time)] or [0, 0]
        ttl_ms = number_of(ttl)
        document = None if isinstance(content, Exception) else document_of(text_of(content))[0]
        return Reading(
            0,
            0,
            readable=True,
            present=exists == 1,
            document=document if isinstance(document, dict) else None,
            state=_parse_state(document.get("state")) if isinstance(document, dict) else None,
            ttl_s=ttl_ms / 1000 if ttl_ms is not None and ttl_ms >= 0 else None,
            server_time_s=seconds + micros / 1e6 if seconds else None,
        )

    async def until(self, state: State) -> Reading | None:
        """Read the key until it holds `state`; return the last reading, which begins after `settle`."""
        end_s = self._ctx.clock.monotonic() + self._params.settle
        while True:
            reading = await self.key()
            if reading is None or reading.state == state or reading.begun_s >= end_s:
                return reading
            await self._ctx.clock.sleep(PAUSE_S)

    async def disagreeing(self, state: State) -> list[str]:
        """The other places that do not come to show `state`, in words.

        A closed breaker stays closed, so its places have the patience to show it; an open one is about to try a call,
        so they have half of the recovery time at most. The last reading begins when that time is over.
        """
        allowed_s = self._params.patience
        if state != "closed":
            allowed_s = min(allowed_s, self._params.recovery / 2)
        end_s = self._ctx.clock.monotonic() + max(self._params.settle, allowed_s)
        while True:
            begun_s = self._ctx.clock.monotonic()
            wrong = await self._places_that_differ(state)
            if not wrong or begun_s >= end_s:
                return wrong
            await self._ctx.clock.sleep(PAUSE_S)

    async def _places_that_differ(self, state: State) -> list[str]:
        """Read every other place once, and describe those that show another state."""
        values, unread = await read(self._params.sources, self._ctx)
        wrong = [f"{name}: {why}" for name, why in unread.items()]
        for name, value in values.items():
            source = self._params.sources[name]
            text = "no value" if isinstance(value, Missing) else spelled(value)
            shown = source.states(text)
            if state in shown:
                continue
            if source.summary and state == "closed" and "open" in shown and await self._is_another_open():
                continue
            wrong.append(f"{name} shows {text} while the breaker is {state}")
        return wrong

    async def _is_another_open(self) -> bool:
        """Whether another breaker is open; False where that cannot be observed."""
        if self._params.another_open is None:
            return False
        try:
            observed = await self._ctx.observe(self._params.another_open)
        except XnaiError:
            return False
        return failure(self._params.another_open, observed) is None


def _parse_state(value: JsonValue) -> State | None:
    """Return the state of this name, if it is one."""
    return next((state for state in get_args(State) if state == value), None)


def spelled(value: object) -> str:
    """A value as `means` spells it: `true`, `1`, `half_open`."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return f"{value:g}"
    return str(value)[:100]
