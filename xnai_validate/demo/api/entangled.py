"""Queries that depend on what they have no need of: the defects of a stack whose failures spread."""

from __future__ import annotations

from redis.asyncio import Redis
from redis.exceptions import RedisError

from xnai_validate.demo.api.failures import ModelError, StoreUnavailable
from xnai_validate.demo.api.services import Services
from xnai_validate.demo.api.wire import WireError, request

_PATHS = {"docs": "/", "ui": "/", "vikunja": "/api/v1/info", "voice": "/health"}
_PATIENCE_S = 10.0


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
    if settings.broken("query-needs-redis"):
        try:
            await services.store.run(_write)
        except (StoreUnavailable, RedisError) as error:
            raise ModelError("Redis does not take the question") from error


async def _write(redis: Redis) -> None:
    await redis.set("xnai:last_question", "1", ex=60)
