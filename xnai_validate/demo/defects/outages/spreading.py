"""Queries that depend on parts they have no need of."""

from __future__ import annotations

import httpx
from redis.asyncio import Redis
from redis.exceptions import RedisError

from xnai_validate.demo.api.failures import ModelError, StoreUnavailable
from xnai_validate.demo.api.services import Services
from xnai_validate.demo.defects.answers.queries import before_query
from xnai_validate.demo.defects.defect import Defect

_PATIENCE_S = 10.0


def _needs(part: str, what: str, path: str) -> Defect:
    async def ask(services: Services) -> None:
        try:
            await services.http.get(services.settings.url(part) + path, timeout=_PATIENCE_S)
        except httpx.HTTPError as error:
            raise ModelError(f"{part} is gone") from error

    defect = Defect(
        f"query-needs-{part}",
        f"Every question asks {what} first, and waits for it.",
        checks=(f"dependencies/cascade:{part}",),
    )
    return before_query(defect, ask)


NEEDS = (
    _needs("vikunja", "Vikunja", "/api/v1/info"),
    _needs("voice", "the voice service", "/health"),
    _needs("docs", "the documentation server", "/"),
    _needs("ui", "the user interface", "/"),
)


async def _write(redis: Redis) -> None:
    await redis.set("xnai:last_question", "1", ex=60)


async def _write_to_redis(services: Services) -> None:
    try:
        await services.store.run(_write)
    except (StoreUnavailable, RedisError) as error:
        raise ModelError("Redis does not take the question") from error


NEEDS_REDIS = before_query(
    Defect(
        "query-needs-redis",
        "A question that cannot be written to Redis is not answered.",
        checks=(
            "errors/chain:redis-silent",
            "errors/chain:redis-read-only",
            "errors/chain:redis-full",
            "dependencies/cascade:redis",
        ),
    ),
    _write_to_redis,
)
