"""Queries that depend on parts they have no need of."""

from __future__ import annotations

import httpx
from fastapi import Request
from fastapi.responses import JSONResponse, Response
from pydantic import JsonValue
from redis.asyncio import Redis
from redis.exceptions import RedisError

from xnai_validate.demo.api.answers.query import answer
from xnai_validate.demo.api.failures import ModelError, StoreUnavailable
from xnai_validate.demo.api.schemas import QueryRequest
from xnai_validate.demo.api.services import Services
from xnai_validate.demo.defects.answers.queries import AnswerQuery, before_query
from xnai_validate.demo.defects.defect import Defect

_PATIENCE_S = 10.0


def _needs(part: str, what: str, path: str) -> Defect:
    """Return the defect that every question first asks a part for `path`, and fails without it."""

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
    """Write a key to Redis."""
    await redis.set("xnai:last_question", "1", ex=60)


_APOLOGY: dict[str, JsonValue] = {
    "response": "I am sorry, I cannot answer at the moment.",
    "sources": [],
    "tokens_generated": 9,
    "duration_ms": 1.0,
    "token_rate_tps": 1.0,
}


async def _write_to_redis(services: Services) -> None:
    """Write a key to Redis before each query. Raises ModelError if that fails."""
    try:
        await services.store.run(_write)
    except (StoreUnavailable, RedisError) as error:
        raise ModelError("Redis does not take the question") from error


APOLOGIZES = Defect(
    "query-apologizes-without-redis",
    "Without Redis every question gets the same apology, with status 200.",
    checks=("errors/chain:redis-silent-answer",),
)


@APOLOGIZES.wraps(answer)
async def apologize_without_redis(
    original: AnswerQuery, /, services: Services, question: QueryRequest, request: Request
) -> Response:
    """Answer with an apology and status 200 while Redis takes no writes."""
    try:
        await services.store.run(_write)
    except (StoreUnavailable, RedisError):
        return JSONResponse(_APOLOGY)
    return await original(services, question, request)


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
