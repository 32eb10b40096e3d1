"""Redis as the API uses it: short time limits, and no calls for a moment after it has failed."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from tests.field.settings import Settings

T = TypeVar("T")
_TIMEOUT_S = 1.0
_PAUSE_S = 0.7


class StoreDownError(Exception):
    """Redis does not answer, or did not a moment ago."""


class Store:
    """A client of Redis that fails quickly."""

    def __init__(self, settings: Settings) -> None:
        scheme = "rediss" if settings.tls else "redis"
        authority = f"?ssl_cert_reqs=required&ssl_ca_certs={settings.folder}/ca.pem" if settings.tls else ""
        # Few connections: a hundred handshakes of TLS at once would take longer than their time limit.
        pool = BlockingConnectionPool.from_url(
            f"{scheme}://127.0.0.1:{settings.ports['redis']}/0{authority}",
            username="default",
            password=settings.redis_password,
            decode_responses=True,
            socket_timeout=_TIMEOUT_S,
            socket_connect_timeout=_TIMEOUT_S,
            retry=Retry(NoBackoff(), 0),
            max_connections=16,
            timeout=1,
        )
        self._client: Redis = Redis(connection_pool=pool)
        self._ask_again = 0.0

    async def call(self, operation: Callable[[Redis], Awaitable[T]]) -> T:
        """Return the result of an operation. Raise StoreDownError at once if Redis failed a moment ago."""
        if time.monotonic() < self._ask_again:
            raise StoreDownError
        try:
            return await operation(self._client)
        except (RedisError, OSError) as error:
            self._ask_again = time.monotonic() + _PAUSE_S
            raise StoreDownError from error

    async def answers(self) -> bool:
        """Return whether Redis takes a value and gives it back now, whatever happened before."""
        value = str(time.time_ns())
        try:
            async with self._client.pipeline(transaction=True) as pipeline:
                pipeline.set("xnai_health_check", value, ex=10)
                pipeline.get("xnai_health_check")
                result = await pipeline.execute()
        except (RedisError, OSError):
            return False
        self._ask_again = 0.0
        return bool(result[1] == value)

    async def close(self) -> None:
        """Close all connections."""
        await self._client.aclose()
