"""How every checker of the family gets a connection, and how a failure becomes facts."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from xnai_validate.checkers.redis._models import RedisFacts, RedisParams
from xnai_validate.kit import Context, ErrorKind
from xnai_validate.wire.failure import WireError
from xnai_validate.wire.redis.client import RedisClient, connect_redis
from xnai_validate.wire.redis.connection import RedisConnection

F = TypeVar("F", bound=RedisFacts)


async def client_of(ctx: Context) -> RedisClient:
    """Return the run's client for the target of the check."""
    target = ctx.target
    return await ctx.shared(("redis", target), lambda: RedisClient(target))


async def measured(
    ctx: Context,
    params: RedisParams,
    facts: type[F],
    measure: Callable[[RedisConnection], Awaitable[F]],
    *,
    fresh: bool = False,
) -> F:
    """Return what `measure` returns for a connection; if it fails, facts with the reason.

    `fresh`: open a connection for this check alone and close it afterwards, for commands that change its state.
    """
    try:
        async with asyncio.timeout(params.timeout):
            if not fresh:
                async with (await client_of(ctx)).connection(params.db) as connection:
                    return await measure(connection)
            connection = await connect_redis(ctx.target, db=params.db)
            try:
                return await measure(connection)
            finally:
                connection.abort()
    except TimeoutError:
        return facts(error=ErrorKind.TIMEOUT, error_detail=f"no answer within {params.timeout:g} s")
    except WireError as failure:
        return facts(error=failure.kind, error_detail=failure.detail)
