"""Queries that depend on what they have no need of, or never forget: the defects of a stack whose failures spread."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from xnai_validate.demo.api.failures import ModelError, StoreUnavailable
from xnai_validate.demo.api.wire import WireError, request
from xnai_validate.demo.settings import Settings

if TYPE_CHECKING:
    from xnai_validate.demo.api.services import Services

_PATHS = {"docs": "/", "ui": "/", "vikunja": "/api/v1/info", "voice": "/health"}
_PATIENCE_S = 10.0
_TICK_S = 0.1
_PAUSED_S = 0.9


class Line:
    """One connection to Redis that nobody opens again by himself."""

    def __init__(self, settings: Settings) -> None:
        self._client = Redis(
            host="127.0.0.1",
            port=settings.redis_port,
            password=settings.redis_password,
            single_connection_client=True,
            retry=Retry(NoBackoff(), 0),
        )

    async def open(self) -> bool:
        """Whether the connection was open; where not, it is opened for the next time."""
        try:
            async with asyncio.timeout(0.5):
                await self._client.ping()
        except (RedisError, OSError, TimeoutError):
            return False
        return True

    async def close(self) -> None:
        """Close it."""
        await self._client.aclose()


class Grudge:
    """What the workers of one stack never forget, once it has happened to one of them."""

    def __init__(self, settings: Settings, name: str) -> None:
        self._path = settings.run_dir / f"grudge-{name}"

    def bear(self) -> None:
        """It has happened."""
        self._path.touch()

    @property
    def borne(self) -> bool:
        """Whether it ever happened."""
        return self._path.exists()


async def watch_pauses(grudge: Grudge) -> None:
    """Bear a grudge when this process has stood still; until cancelled."""
    while True:
        before = time.monotonic()
        await asyncio.sleep(_TICK_S)
        if time.monotonic() - before > _PAUSED_S:
            grudge.bear()


async def before_query(services: Services) -> None:
    """Ask first whatever the stack's defects make a query depend on; raises ServiceFailure where that is gone."""
    settings = services.settings
    if not settings.defects:
        return
    for name, path in _PATHS.items():
        if settings.broken(f"query-needs-{name}"):
            try:
                async with request(settings.ports[name], "GET", path, timeout_s=_PATIENCE_S) as reply:
                    await reply.body()
            except WireError as error:
                raise ModelError(f"{name} is gone") from error
    if settings.broken("api-hangs-after-pause") and Grudge(settings, "pause").borne:
        await asyncio.sleep(3600)
    if settings.broken("query-drops-with-redis") and not await services.line.open():
        raise ModelError("the connection to Redis was lost")
    if settings.broken("query-needs-redis"):
        try:
            await services.store.run(_write)
        except (StoreUnavailable, RedisError) as error:
            raise ModelError("Redis does not take the question") from error


async def _write(redis: Redis) -> None:
    await redis.set("xnai:last_question", "1", ex=60)
