"""The circuit breakers of the stack: their names, their rules, and the task that writes their states."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import suppress

from redis.exceptions import RedisError

from xnai_validate.demo.api.breakers.breaker import KEY_PREFIX, Breaker
from xnai_validate.demo.api.breakers.state import Rule, State
from xnai_validate.demo.api.failures import StoreUnavailable
from xnai_validate.demo.api.monitoring.metrics import Metrics
from xnai_validate.demo.api.store import Store
from xnai_validate.demo.settings import Settings

FAILURES = {"rag_api": 3, "redis_cache": 5, "voice_stt": 5, "voice_tts": 3, "voice_processing": 3}
"""Breaker -> how many failures in a row open it."""

_LOOKS = 4
"""How often in an interval of the monitor the states of other workers are looked at."""


class Breakers:
    """All breakers of the application, and the task that writes their states."""

    def __init__(
        self, settings: Settings, store: Store, metrics: Metrics, now: Callable[[], float] = time.time
    ) -> None:
        self._settings, self._store = settings, store
        self._wake = asyncio.Event()
        self._all = {
            name: Breaker(_rule(name, settings), store, metrics, settings, self._wake.set, now) for name in FAILURES
        }

    def __getitem__(self, name: str) -> Breaker:
        return self._all[name]

    def __iter__(self) -> Iterator[Breaker]:
        return iter(self._all.values())

    async def run(self) -> None:
        """Write outcomes as they come in, until cancelled."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            for breaker in self:
                await breaker.flush()

    async def keep(self) -> None:
        """Agree with Redis again and again, until cancelled: keys that were lost are written, and live on."""
        while True:
            for _ in range(_LOOKS):
                await asyncio.sleep(self._settings.times.monitor_interval_s / _LOOKS)
                await self._look()
            await self.refresh()

    async def _look(self) -> None:
        """Learn what other workers have written: a state that is lost in Redis is then known to all."""
        if self._settings.broken("breaker-memory-only"):
            return
        with suppress(StoreUnavailable, RedisError):
            texts = await self._store.run(lambda redis: redis.mget([breaker.key for breaker in self]))
            for breaker, text in zip(self, texts, strict=True):
                breaker.observe(text)
                if not text and breaker.view.state is not State.CLOSED:
                    await breaker.refresh()  # before somebody who has not heard of it writes that it is closed

    async def start(self) -> None:
        """Take over the states that outlived the last run of the application; write those that are missing."""
        if self._settings.broken("breaker-forgets-on-restart"):
            with suppress(StoreUnavailable, RedisError):
                await self._store.run(lambda redis: redis.delete(*(KEY_PREFIX + name for name in FAILURES)))
        await self.refresh()

    async def refresh(self) -> None:
        """Agree with Redis about every breaker, so that all keys exist."""
        for breaker in self:
            await breaker.refresh()


def _rule(name: str, settings: Settings) -> Rule:
    """The rule of a breaker as this stack is configured."""
    failures, recovery_s = FAILURES[name], settings.times.breaker_recovery_s[name]
    if settings.broken("breaker-never-opens"):
        failures = 1_000_000
    if settings.broken("breaker-opens-late"):
        failures *= 3
    if settings.broken("breaker-opens-early"):
        failures = 1
    if settings.broken("breaker-never-recovers"):
        recovery_s *= 1000
    if settings.broken("breaker-recovers-early"):
        recovery_s /= 20
    successes = 1 if settings.broken("breaker-closes-at-once") else 3
    successes = 1_000_000 if settings.broken("breaker-stays-half-open") else successes
    return Rule(
        name,
        failures,
        recovery_s,
        successes,
        forgives=not settings.broken("breaker-never-forgives"),
        tallies=not settings.broken("breaker-totals-frozen"),
        probes=not settings.broken("breaker-skips-half-open"),
        too_many=not settings.broken("breaker-tolerates-failed-trials"),
    )
