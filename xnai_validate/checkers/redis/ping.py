"""`redis.ping`: whether Redis answers, at once and over a while, and whether it requires a password and TLS."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from math import ceil
from statistics import median
from time import perf_counter
from typing import Annotated

from xnai_validate.checkers.redis._access import client_of
from xnai_validate.checkers.redis._models import RedisFacts, RedisParams
from xnai_validate.kit import (
    Context,
    Count,
    Duration,
    ErrorKind,
    Ge,
    Le,
    Milliseconds,
    Needs,
    checker,
)
from xnai_validate.wire.failure import WireError
from xnai_validate.wire.redis.client import RedisClient, connect_redis, redis_address
from xnai_validate.wire.redis.replies import RedisRefusal, text_of


class PingParams(RedisParams):
    """How many pings, and over how long a time."""

    timeout: Duration = 2.0
    """How long each answer may take, connecting included; a later one is lost."""
    count: Annotated[int, Ge(1), Le(10_000)] = 1
    """The number of pings."""
    window: Duration = 0.0
    """The time over which they are spread; a Redis that restarts meanwhile loses some."""
    without_password: bool = True
    """Whether to try, on a separate connection, if PING is answered without a password."""
    without_tls: bool = False
    """Whether to try, on a separate connection, if the TLS port of a `rediss://` target also takes plain text."""


class PingFacts(RedisFacts):
    """All pings together."""

    sent: Count
    """Pings sent."""
    answered: Count
    """Those answered with PONG in time."""
    lost: Count
    """Pings without such an answer; `error` is that of the last one."""
    loading: bool | None = None
    """Whether the server is up and still reads its data from disk; null if it does not give that."""
    connect_ms: Milliseconds | None = None
    """How long the last connection took to open, TLS included; null if one was open already."""
    median_ms: Milliseconds | None = None
    """The median time from a ping to its answer, without connecting."""
    p95_ms: Milliseconds | None = None
    """95 of 100 replies took no longer: a single slow one may be due to a busy machine."""
    max_ms: Milliseconds | None = None
    """The longest."""
    open_without_password: Annotated[bool | None, Needs("without_password")] = None
    """Whether the server can be used without a password; null if that is unknown."""
    open_without_tls: Annotated[bool | None, Needs("without_tls")] = None
    """Whether the TLS port answers plain text too; null if it was not tried."""


class _Pings:
    """The pings so far."""

    def __init__(self) -> None:
        self.times_ms: list[float] = []
        self.connect_ms: float | None = None
        self.lost: WireError | None = None
        self.losses = 0
        self.loading = False

    async def send(self, client: RedisClient, params: PingParams) -> None:
        """Send one PING and note its time, or why no PONG came."""
        try:
            async with asyncio.timeout(params.timeout), client.connection(params.db) as connection:
                if not connection.used:
                    self.connect_ms = connection.connect_ms
                started = perf_counter()
                answer = text_of(await connection.command("PING"))
            if answer == "PONG":
                self.times_ms.append((perf_counter() - started) * 1000)
                return
            failure = WireError(ErrorKind.PROTOCOL, f"the reply to PING is {answer[:100]!r}")
        except TimeoutError:
            failure = WireError(ErrorKind.TIMEOUT, f"no answer within {params.timeout:g} s")
        except WireError as error:
            failure = error
            self.loading |= isinstance(error, RedisRefusal) and error.code == "LOADING"
        self.lost = failure
        self.losses += 1


@checker("redis.ping", expect={"error": None, "lost": 0}, from_workers=True)
async def ping(params: PingParams, ctx: Context) -> PingFacts:
    """Ping Redis, once or many times over a while.

    While its data is still being loaded, a server may answer PING or refuse it with LOADING; `loading` shows both, by
    INFO. The connection is kept between pings and opened anew after a loss::

        kind: redis.ping
        with: {count: 20, window: 5s}
        expect: {p95_ms: {max: 50}, open_without_password: false}
    """
    client = await client_of(ctx)
    pings = _Pings()
    started = ctx.clock.monotonic()
    for number in range(params.count):
        due = started + params.window * number / max(1, params.count - 1)
        if (ahead := due - ctx.clock.monotonic()) > 0:
            await ctx.clock.sleep(ahead)
        await pings.send(client, params)
    open_ = await _open_without_password(params, ctx) if params.without_password else None
    plain = await _open_without_tls(params, ctx) if params.without_tls else None
    return PingFacts(
        error=None if pings.lost is None else pings.lost.kind,
        error_detail=None if pings.lost is None else pings.lost.detail,
        sent=params.count,
        answered=len(pings.times_ms),
        lost=pings.losses,
        loading=pings.loading or await _is_loading(client, params),
        connect_ms=pings.connect_ms,
        median_ms=median(pings.times_ms) if pings.times_ms else None,
        p95_ms=_p95(pings.times_ms),
        max_ms=max(pings.times_ms, default=None),
        open_without_password=open_,
        open_without_tls=plain,
    )


async def _is_loading(client: RedisClient, params: PingParams) -> bool | None:
    """Return whether the server still loads its data; None if that is unknown."""
    try:
        async with asyncio.timeout(params.timeout), client.connection(params.db) as connection:
            lines = text_of(await connection.command("INFO", "persistence")).split()
    except (TimeoutError, WireError):
        return None
    return "loading:1" in lines if any(line.startswith("loading:") for line in lines) else None


async def _open_without_tls(params: PingParams, ctx: Context) -> bool | None:
    """Whether the server answers without TLS; None where the target has no TLS."""
    if redis_address(ctx.target).tls is None:
        return None
    try:
        async with asyncio.timeout(params.timeout):
            connection = await connect_redis(ctx.target, db=0, password=False, tls=False)
            try:
                await connection.command("PING")
            finally:
                connection.abort()
    except RedisRefusal:
        return True  # a refusal in plain text is an answer in plain text
    except (TimeoutError, WireError):
        return False
    return True


async def _open_without_password(params: PingParams, ctx: Context) -> bool | None:
    """Whether the server answers PING without a password; None where that could not be found out."""
    try:
        async with asyncio.timeout(params.timeout):
            connection = await connect_redis(ctx.target, db=0, password=False)
            try:
                return text_of(await connection.command("PING")) == "PONG"
            finally:
                connection.abort()
    except RedisRefusal as refusal:
        return False if refusal.code in ("NOAUTH", "DENIED", "NOPERM") else None
    except (TimeoutError, WireError):
        return None


def _p95(times_ms: Sequence[float]) -> float | None:
    """The smallest of the times that 95 of 100 do not exceed; None without any."""
    ordered = sorted(times_ms)
    return ordered[max(0, ceil(0.95 * len(ordered)) - 1)] if ordered else None
