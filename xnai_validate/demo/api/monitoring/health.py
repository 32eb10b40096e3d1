"""`GET /health`: every component is tried, within a time that a load balancer will wait."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

import psutil
from fastapi import APIRouter
from fastapi.responses import JSONResponse, Response
from pydantic import JsonValue
from redis.asyncio import Redis
from redis.asyncio.client import Pipeline
from redis.exceptions import RedisError

from xnai_validate.demo.api.breakers.state import State
from xnai_validate.demo.api.failures import StoreUnavailable
from xnai_validate.demo.api.monitoring import degradation
from xnai_validate.demo.api.monitoring.degradation import Tier
from xnai_validate.demo.api.schemas import Health, TieredHealth
from xnai_validate.demo.api.services import VERSION, Services
from xnai_validate.demo.api.time_limit import time_limit
from xnai_validate.demo.seams import seam

KEY = "xnai_health_check"
"""The Redis key that every report writes and reads back."""

_PROBE_S = 0.6
_TRUSTED_S = 1.0
_FRESH_S = 0.1
_UNSAFE_MEMORY_PERCENT = 98
_KEY_TTL_S = 10
_GIB = 1024**3


class Probe:
    """One dependency, tried for 600 ms at most.

    A dependency that refuses is down at once. One that is merely late still counts as up within a second of its last
    answer, so that a busy machine is not reported as a broken one. A good answer of the last `fresh_s` is not asked
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
            async with time_limit(self._limit_s):
                good = await self._ask()
        except TimeoutError:
            return time.monotonic() - self._answered < _TRUSTED_S
        self._answered = time.monotonic() if good else float("-inf")
        return good


@seam
def model_probe(services: Services) -> Probe:
    """The probe of the model server."""
    return Probe(services.model.healthy, _FRESH_S)


@seam
def report(components: dict[str, bool], tier: Tier | None) -> dict[str, JsonValue]:
    """The health report: its status follows from the components; `tier` is added in a stack that has tiers."""
    shown: dict[str, JsonValue] = {**components}
    if tier is not None:
        shown |= {"degradation_tier": tier.level, "tier_name": tier.name}
    is_loaded = components["vectorstore"]
    return {
        "status": "healthy" if all(components.values()) else "degraded" if is_loaded else "partial",
        "version": VERSION,
        "memory_gb": round(psutil.virtual_memory().used / _GIB, 2),
        "vectorstore_loaded": is_loaded,
        "components": shown,
    }


@seam
def write_key(pipe: Pipeline, text: str) -> None:
    """Write the health key."""
    pipe.set(KEY, text, ex=_KEY_TTL_S)


class HealthReport:
    """Tries the components of one application and reports how they are."""

    def __init__(self, services: Services) -> None:
        self.services = services
        self._redis = Probe(self.try_redis)
        self._llm = model_probe(services)

    @seam
    async def components(self) -> dict[str, bool]:
        """Each component: whether it works now."""
        redis, llm = await asyncio.gather(self._redis.up(), self._llm.up())
        return {
            "embeddings": self.services.index.ready(),
            "vectorstore": len(self.services.index) > 0,
            "llm": llm,
            "circuit_breakers_healthy": all(breaker.view.state is not State.OPEN for breaker in self.services.breakers),
            "health_memory": degradation.memory_percent(self.services.settings) < _UNSAFE_MEMORY_PERCENT,
            "health_redis": redis,
        }

    async def body(self) -> dict[str, JsonValue]:
        """The health report of this moment."""
        tier = self.services.tier() if self.services.settings.layout == "B" else None
        return report(await self.components(), tier)

    @seam
    async def try_redis(self) -> bool:
        """Write and read back a key; take over the states of the breakers that are read with it.

        Raises TimeoutError if Redis is late. The time limit is the store's, which holds other calls off.
        """
        text = f"{time.time():.6f}"
        try:
            read, *states = await self.services.store.run(
                lambda redis: self.write_and_read(redis, text), timeout_s=_PROBE_S * 0.9, probe=True
            )
        except StoreUnavailable as error:
            if isinstance(error.__cause__, TimeoutError):
                raise TimeoutError from error
            return False
        except RedisError:
            return False
        for breaker, state in zip(self.services.breakers, states, strict=True):
            breaker.observe(state)
        return read is not None

    @seam
    async def write_and_read(self, redis: Redis, text: str) -> list[str | None]:
        """One round trip: the health key as it is after writing, then the breakers' states."""
        pipe = redis.pipeline(transaction=False)
        write_key(pipe, text)
        pipe.mget([KEY, *(breaker.key for breaker in self.services.breakers)])
        replies: list[list[str | None]] = await pipe.execute()
        return replies[-1]


@seam
async def answer(health: HealthReport) -> Response:
    """Try every component and respond with the report."""
    return JSONResponse(await health.body())


def router(services: Services) -> APIRouter:
    """The endpoint, for one application."""
    routes = APIRouter()
    health_report = HealthReport(services)
    model = TieredHealth if services.settings.layout == "B" else Health

    @routes.get("/health", response_model=model, summary="The application's health")
    async def health() -> Response:
        """Try every component and report how it is."""
        return await answer(health_report)

    return routes
