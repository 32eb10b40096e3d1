"""The application's Redis: every call is bounded in time, and a Redis that is gone delays one request, not all."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TypeVar

from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError
from redis.exceptions import TimeoutError as RedisTimeoutError

from xnai_validate.demo.api.failures import StoreUnavailable
from xnai_validate.demo.api.time_limit import time_limit
from xnai_validate.demo.seams import seam
from xnai_validate.demo.settings import Settings

_CALL_TIMEOUT_S = 0.25
_HOLD_OFF_S = 0.5
_CONNECTIONS = 32

T = TypeVar("T")
Operation = Callable[[Redis], Awaitable[T]]


@seam
def hold_off_s() -> float:
    """Seconds for which calls are refused after one that failed."""
    return _HOLD_OFF_S


class Store:
    """Redis, database 0. After a call that failed, further calls are refused for half a second without trying."""

    def __init__(self, settings: Settings, call_timeout_s: float = _CALL_TIMEOUT_S) -> None:
        """`call_timeout_s` bounds connecting, and each operation that has no time limit of its own."""
        pool = BlockingConnectionPool(
            host="127.0.0.1",
            port=settings.redis_port,
            password=settings.redis_password,
            db=0,
            max_connections=_CONNECTIONS,
            timeout=call_timeout_s,
            # No time limit of the client's own for sending: it uses asyncio.wait_for, which before Python 3.12 loses a
            # cancellation that arrives as it ends. `run` limits every operation as a whole.
            socket_timeout=None,
            socket_connect_timeout=call_timeout_s,
            retry=Retry(NoBackoff(), 1, supported_errors=(RedisConnectionError,)),
            decode_responses=True,
        )
        self._client: Redis = Redis(connection_pool=pool)
        self._call_timeout_s = call_timeout_s
        self._closed_until = 0.0

    async def run(self, operation: Operation[T], *, timeout_s: float | None = None, probe: bool = False) -> T:
        """Do an operation; a `probe` is tried even while other calls are held off.

        Raises `StoreUnavailable`. An error of the operation itself (a key of another type) is raised as redis's own
        `ResponseError`.
        """
        if self.is_held_off(probe=probe):
            raise StoreUnavailable("Redis did not answer a moment ago")
        try:
            async with time_limit(self._call_timeout_s if timeout_s is None else timeout_s):
                result = await operation(self._client)
        except (RedisConnectionError, RedisTimeoutError, TimeoutError, OSError) as error:
            self._closed_until = time.monotonic() + hold_off_s()
            raise StoreUnavailable(type(error).__name__) from error
        self._closed_until = 0.0
        return result

    @seam
    def is_held_off(self, *, probe: bool) -> bool:
        """Whether a call is refused without trying; a `probe`, which looks whether Redis is back, never is."""
        return not probe and time.monotonic() < self._closed_until

    async def messages(self, channel: str) -> AsyncIterator[str]:
        """The messages on a channel, as they come; those that are sent while Redis is away are lost."""
        while True:
            try:
                async with self._client.pubsub() as subscription:
                    await subscription.subscribe(channel)
                    async for message in subscription.listen():
                        if message["type"] == "message":
                            yield str(message["data"])
            except (RedisError, OSError):
                await asyncio.sleep(_HOLD_OFF_S)

    @seam
    async def reconnect(self) -> None:
        """Drop the connections, so that the next calls open new ones."""
        await self._client.connection_pool.disconnect(inuse_connections=False)
        self._closed_until = 0.0

    async def close(self) -> None:
        """Close all connections."""
        await self._client.aclose()
        await self._client.connection_pool.disconnect()
