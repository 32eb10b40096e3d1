"""How every checker of the family comes to a connection, and what becomes of a failure."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Annotated, TypeVar

from xnai_validate.kit import Context, Duration, ErrorKind, Facts, Ge, Params
from xnai_validate.wire.failure import WireError
from xnai_validate.wire.redis.client import RedisClient, connect_redis
from xnai_validate.wire.redis.connection import RedisConnection


class RedisParams(Params):
    """Which database, and how long."""

    db: Annotated[int, Ge(0)] | None = None
    """The database; by default that of the target's url."""
    timeout: Duration = 5.0
    """How long the measurement may take, connecting included."""


class RedisFacts(Facts):
    """Why there was no answer, if there was none; all other facts are null then."""

    error: ErrorKind | None = None
    """`auth` where the password is refused or missing, `protocol` where the server answers with an error of its own."""
    error_detail: str | None = None
    """The same in words: those of the server, where it said something."""


F = TypeVar("F", bound=RedisFacts)


async def client_of(ctx: Context) -> RedisClient:
    """The run's client for the target of the check."""
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
    """What `measure` finds on a connection; where it fails, facts that say why.

    `fresh`: a connection of its own, closed afterwards, for commands that leave something behind in it.
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
