"""`GET /health`: every component is tried, within a time that a load balancer will wait."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress

import psutil
from fastapi import APIRouter
from fastapi.responses import JSONResponse, Response
from pydantic import JsonValue
from redis.asyncio import Redis
from redis.exceptions import RedisError

from xnai_validate.demo.api import spoiled
from xnai_validate.demo.api.breakers.state import State
from xnai_validate.demo.api.entangled import Grudge
from xnai_validate.demo.api.failures import CircuitOpen, ServiceFailure, StoreUnavailable
from xnai_validate.demo.api.monitoring import degradation
from xnai_validate.demo.api.schemas import Health, TieredHealth
from xnai_validate.demo.api.services import VERSION, Services

_PROBE_S = 0.6
_TRUSTED_S = 1.0
_FRESH_S = 0.1
_UNSAFE_MEMORY_PERCENT = 98
_KEY = "xnai_health_check"
_KEY_TTL_S = 10
_GIB = 1024**3
_LEAKED: list[int] = []


class Probe:
    """One dependency, tried for 600 ms at the most.

    A dependency that refuses is down at once. One that is merely late is still taken for up within a second of its
    last answer, so that a busy machine is not reported as a broken one; a good answer of the last 100 ms is not asked
    for again.
    """

    def __init__(self, ask: Callable[[], Awaitable[bool]], fresh_s: float = 0.0, limit_s: float = _PROBE_S) -> None:
        self._ask = ask
        self._limit_s = limit_s
        self._fresh_s = fresh_s
        self._answered = float("-inf")

    async def up(self) -> bool:
        """Whether the dependency is up."""
        if time.monotonic() - self._answered < self._fresh_s:
            return True
        try:
            async with asyncio.timeout(self._limit_s):
                good = await self._ask()
        except TimeoutError:
            return time.monotonic() - self._answered < _TRUSTED_S
        self._answered = time.monotonic() if good else float("-inf")
        return good


class HealthReport:
    """Tries the components of one application and says how they are."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._redis = Probe(self._try_redis)
        self._first: dict[str, bool] = {}
        self._fallen: set[str] = set()
        patient = services.settings.broken("health-hangs-with-model")
        self._llm = Probe(services.model.healthy, _FRESH_S, 5.0 if patient else _PROBE_S)

    async def components(self) -> dict[str, bool]:
        """Each component: whether it works now."""
        broken = self._services.settings.broken
        redis, llm = await asyncio.gather(self._redis.up(), self._llm.up())
        return {
            "embeddings": self._services.index.ready(),
            "vectorstore": len(self._services.index) > 0,
            "llm": llm or broken("health-llm-unprobed"),
            "circuit_breakers_healthy": all(one.view.state is not State.OPEN for one in self._services.breakers),
            "health_memory": degradation.memory_percent(self._services.settings) < _UNSAFE_MEMORY_PERCENT,
            "health_redis": redis or broken("health-redis-unprobed"),
        }

    async def body(self) -> dict[str, JsonValue]:
        """The health report; its status follows from the components."""
        found = self._spoiled(await self.components())
        components: dict[str, JsonValue] = {**found}
        if self._services.settings.layout == "B":
            tier = self._services.tier()
            level = tier.level % 4 + 1 if self._services.settings.broken("health-tier-wrong") else tier.level
            components |= {"degradation_tier": level, "tier_name": tier.name}
        return {
            "status": "healthy" if all(found.values()) else "degraded" if found["vectorstore"] else "partial",
            "version": VERSION,
            "memory_gb": round(psutil.virtual_memory().used / _GIB, 2),
            "vectorstore_loaded": found["vectorstore"],
            "components": components,
        }

    def _spoiled(self, found: dict[str, bool]) -> dict[str, bool]:
        """What a report says that is cached, wired to the wrong probes, or never forgets."""
        broken = self._services.settings.broken
        if broken("health-cached"):
            found = self._first = self._first or found
        if broken("health-swapped"):
            found = found | {"llm": found["health_redis"], "health_redis": found["llm"]}
        if broken("health-never-recovers"):
            self._fallen |= {name for name, well in found.items() if not well}
            found = found | dict.fromkeys(self._fallen, False)
        if broken("health-all-or-nothing") and not found["llm"]:
            found = found | {"health_redis": False}
        return found

    async def _try_redis(self) -> bool:
        """Write and read back, and look at the breakers on the way.

        The time limit is the store's, which holds others off.
        """
        settings = self._services.settings
        refused, lost = Grudge(settings, "refused"), Grudge(settings, "lost")
        if settings.broken("redis-lost-for-good"):
            if not await self._services.line.open():
                lost.bear()
            if lost.borne:
                return False
        if settings.broken("redis-refusal-remembered") and refused.borne:
            return False
        written = f"{time.time():.6f}"
        try:
            read, *states = await self._services.store.run(
                lambda redis: self._write_and_read(redis, written), timeout_s=_PROBE_S * 0.9, probe=True
            )
        except StoreUnavailable as error:
            if isinstance(error.__cause__, TimeoutError):
                raise TimeoutError from error
            return False
        except RedisError:
            refused.bear()
            return False
        for breaker, state in zip(self._services.breakers, states, strict=True):
            breaker.observe(state)
        return read is not None

    async def _write_and_read(self, redis: Redis, written: str) -> list[str | None]:
        """One round trip: the health key as it is after writing, then the breakers' states."""
        broken = self._services.settings.broken
        pipe = redis.pipeline(transaction=False)
        if not broken("health-key-missing"):
            pipe.set(_KEY, written, ex=None if broken("health-key-without-ttl") else _KEY_TTL_S)
        pipe.mget([_KEY, *(breaker.key for breaker in self._services.breakers)])
        answers: list[list[str | None]] = await pipe.execute()
        return answers[-1]


def _redis_well(body: dict[str, JsonValue]) -> bool:
    components = body["components"]
    return isinstance(components, dict) and bool(components.get("health_redis"))


def router(services: Services) -> APIRouter:
    """The endpoint, for one application."""
    routes = APIRouter()
    report = HealthReport(services)
    settings = services.settings

    @routes.get(
        "/health", response_model=TieredHealth if settings.layout == "B" else Health, summary="The application's health"
    )
    async def health() -> Response:
        """Try every component and say how it is."""
        if settings.broken("health-slow"):
            await asyncio.sleep(3)
        if settings.broken("health-generates"):
            with suppress(ServiceFailure):
                made = await services.model.complete("Say that you work.", 8)
                services.metrics.processed(False, made.tokens, 1.0)
        if settings.broken("health-leaks"):
            _LEAKED.append(os.dup(2))
        body = await report.body()
        if settings.broken("health-hangs-without-redis") and not _redis_well(body):
            await asyncio.sleep(6)
        if settings.broken("breaker-cascades") and services.breakers["rag_api"].view.state is State.OPEN:
            raise CircuitOpen("rag_api", 1.0)
        failing = settings.broken("health-fails-when-degraded") and body["status"] != "healthy"
        return JSONResponse(spoiled.health(settings, body), status_code=500 if failing else 200)

    return routes
