"""The circuit breakers of the stack: their names, their rules, and the task that writes their states."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import suppress

from redis.exceptions import RedisError

from xnai_validate.demo.api.breakers.breaker import Breaker
from xnai_validate.demo.api.breakers.state import Rule, State
from xnai_validate.demo.api.failures import StoreUnavailable
from xnai_validate.demo.api.monitoring.metrics import Metrics
from xnai_validate.demo.api.store import Store
from xnai_validate.demo.seams import seam
from xnai_validate.demo.settings import BREAKER_FAILURES, Settings

_READS = 4
"""How often in an interval of the monitor the states that other workers have written are read."""


class Breakers:
    """All breakers of the application, and the task that writes their states."""

    def __init__(
        self, settings: Settings, store: Store, metrics: Metrics, now: Callable[[], float] = time.time
    ) -> None:
        self.settings, self.store = settings, store
        self._wake = asyncio.Event()
        self._all = {
            name: Breaker(rule_of(name, settings), store, metrics, settings, self._wake.set, now)
            for name in BREAKER_FAILURES
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
        """Agree with Redis again and again, until cancelled: lost keys are written again, others live on."""
        while True:
            for _ in range(_READS):
                await asyncio.sleep(self.settings.times.monitor_interval_s / _READS)
                await self.read_all()
            await self.refresh()

    @seam
    async def read_all(self) -> None:
        """Read the states that other workers have written, so that one that Redis loses is known to all."""
        with suppress(StoreUnavailable, RedisError):
            texts = await self.store.run(lambda redis: redis.mget([breaker.key for breaker in self]))
            for breaker, text in zip(self, texts, strict=True):
                breaker.observe(text)
                if not text and breaker.view.state is not State.CLOSED:
                    await breaker.refresh()  # before a worker that does not know of it writes that it is closed

    @seam
    async def start(self) -> None:
        """Take over the states that outlived the last run of the application; write those that are missing."""
        await self.refresh()

    async def refresh(self) -> None:
        """Agree with Redis about every breaker, so that all keys exist."""
        for breaker in self:
            await breaker.refresh()


@seam
def rule_of(name: str, settings: Settings) -> Rule:
    """The rule of a breaker."""
    return Rule(name, BREAKER_FAILURES[name], settings.times.breaker_recovery_s[name])
