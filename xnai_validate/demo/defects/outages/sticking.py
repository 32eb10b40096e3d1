"""Failures that are over and still go on: the API never tries again."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Protocol
from weakref import WeakKeyDictionary, WeakSet

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from xnai_validate.demo.api.answers.model import Generation, ModelClient
from xnai_validate.demo.api.app import running
from xnai_validate.demo.api.failures import ModelError, ModelTimeout
from xnai_validate.demo.api.monitoring.health import HealthReport
from xnai_validate.demo.api.services import Services
from xnai_validate.demo.api.store import Store, hold_off_s
from xnai_validate.demo.defects.answers.queries import before_query
from xnai_validate.demo.defects.defect import Defect
from xnai_validate.demo.defects.sticky_failure import StickyFailure

_TICK_S = 0.1
_PAUSED_S = 0.9

Running = Callable[[Services], AbstractAsyncContextManager[None]]

MODEL_NEVER_RETRIED = Defect(
    "model-never-tried-again",
    "Once the model has not answered in time, the API never asks it again.",
    checks=("recovery/outage:model-paused",),
)


@asynccontextmanager
async def _until_timeout(model: ModelClient) -> AsyncIterator[None]:
    """Raise ModelError if the model has ever timed out; remember a time-out inside the block."""
    timed_out = StickyFailure(model.settings, "model")
    if timed_out.is_set:
        raise ModelError("the model server did not answer once")
    try:
        yield
    except ModelTimeout:
        timed_out.set()
        raise


@MODEL_NEVER_RETRIED.wraps(ModelClient.complete)
async def complete_until_timeout(
    complete: Callable[[ModelClient, str, int], Awaitable[Generation]],
    /,
    self: ModelClient,
    prompt: str,
    n_predict: int,
) -> Generation:
    """Ask the model for a completion until it times out once; from then on fail at once."""
    async with _until_timeout(self):
        return await complete(self, prompt, n_predict)


@MODEL_NEVER_RETRIED.wraps(ModelClient.stream)
async def stream_until_timeout(
    stream: Callable[[ModelClient, str, int], AsyncGenerator[str, None]],
    /,
    self: ModelClient,
    prompt: str,
    n_predict: int,
) -> AsyncGenerator[str, None]:
    """Stream tokens until a stream has timed out once; from then on fail at once."""
    tokens = stream(self, prompt, n_predict)
    try:
        async with _until_timeout(self):
            async for token in tokens:
                yield token
    finally:
        await tokens.aclose()


QUERY_NEVER_RETRIED = Defect(
    "query-never-tried-again",
    "Once the model has not answered a query in time, no query asks it again; streams do.",
    checks=("errors/chain:model-back",),
)
QUERY_NEVER_RETRIED.wraps(ModelClient.complete)(complete_until_timeout)

STREAM_NEVER_RETRIED = Defect(
    "stream-never-tried-again",
    "Once the model has not answered a stream in time, no stream asks it again; queries do.",
    checks=("errors/chain:stream-back",),
)
STREAM_NEVER_RETRIED.wraps(ModelClient.stream)(stream_until_timeout)


class IsHeldOff(Protocol):
    """`Store.is_held_off`."""

    def __call__(self, store: Store, /, *, probe: bool) -> bool: ...


REDIS_NEVER_RETRIED = Defect(
    "redis-never-tried-again",
    "Once Redis has not answered, the API never asks it again.",
    checks=("recovery/outage:redis-paused",),
).changes(hold_off_s, lambda _: 3600.0)


@REDIS_NEVER_RETRIED.wraps(Store.is_held_off)
def probes_are_held_off(is_held_off: IsHeldOff, /, self: Store, *, probe: bool) -> bool:
    """Hold off probes too, which otherwise find out whether Redis is back."""
    return is_held_off(self, probe=False)


@REDIS_NEVER_RETRIED.wraps(Store.reconnect)
async def stay_disconnected(_: Callable[[Store], Awaitable[None]], /, self: Store) -> None:
    """Keep the broken connection."""


REDIS_ONLY_PINGED = Defect(
    "redis-only-pinged-after-outage",
    "Once Redis has not answered, health pings it and reports it well, and the API writes it no more.",
    checks=("recovery/outage:redis-paused",),
).changes(hold_off_s, lambda _: 3600.0)


@REDIS_ONLY_PINGED.wraps(HealthReport.try_redis)
async def ping_after_outage(try_redis: Callable[[HealthReport], Awaitable[bool]], /, self: HealthReport) -> bool:
    """Ping Redis; after one failed ping report Redis as down, until it answers on a connection of its own."""
    settings = self.services.settings
    silent = StickyFailure(settings, "redis")
    if not silent.is_set:
        try:
            if await try_redis(self):
                return True
        except (TimeoutError, asyncio.CancelledError):
            silent.set()
            raise
        silent.set()
        return False
    client = Redis(host="127.0.0.1", port=settings.redis_port, password=settings.redis_password)
    try:
        return bool(await client.ping())
    except RedisError:
        return False
    finally:
        await client.aclose()


REDIS_ONLY_REPORTED = Defect(
    "redis-only-reported-after-outage",
    "Once Redis has not answered, health writes and reads it and reports it well, and questions use it no more.",
    checks=("recovery/outage:redis-paused",),
).changes(hold_off_s, lambda _: 3600.0)
_SILENT_ONCE: WeakSet[Store] = WeakSet()
"""The stores whose Redis has not answered once."""
REDIS_ONLY_REPORTED.wraps(Store.reconnect)(stay_disconnected)


@REDIS_ONLY_REPORTED.wraps(Store.is_held_off)
def held_off_for_good(is_held_off: IsHeldOff, /, self: Store, *, probe: bool) -> bool:
    """Hold off everything but probes for ever once Redis has not answered."""
    if is_held_off(self, probe=False):
        _SILENT_ONCE.add(self)
    return self in _SILENT_ONCE and not probe


class _Line:
    """One connection to Redis; when it is lost, the next use opens it again and reports the loss."""

    def __init__(self, services: Services) -> None:
        self._client = Redis(
            host="127.0.0.1",
            port=services.settings.redis_port,
            password=services.settings.redis_password,
            single_connection_client=True,
            retry=Retry(NoBackoff(), 0),
        )

    async def is_open(self) -> bool:
        """Whether the connection was open; if not, it is opened for the next time."""
        try:
            async with asyncio.timeout(0.5):
                await self._client.ping()
        except (RedisError, OSError, TimeoutError):
            return False
        return True

    async def close(self) -> None:
        """Close it."""
        await self._client.aclose()


_LINES: WeakKeyDictionary[Store, _Line] = WeakKeyDictionary()
"""The one connection of each application."""


def _with_line(defect: Defect) -> Defect:
    """Let a defect open one connection to Redis when the application starts."""

    @defect.wraps(running)
    @asynccontextmanager
    async def running_with_line(original: Running, /, services: Services) -> AsyncIterator[None]:
        line = _LINES[services.store] = _Line(services)
        async with original(services):
            await line.is_open()
            try:
                yield
            finally:
                await line.close()

    return defect


async def _lose_question(services: Services) -> None:
    """Raise ModelError if the connection to Redis was closed since its last use."""
    if not await _LINES[services.store].is_open():
        raise ModelError("the connection to Redis was lost")


QUERY_DROPS_WITH_REDIS = _with_line(
    before_query(
        Defect(
            "query-drops-with-redis",
            "A question that finds its connection to Redis closed is not answered.",
            checks=("errors/chain:redis-hangs-up",),
        ),
        _lose_question,
    )
)

REDIS_LOST_FOR_GOOD = _with_line(
    Defect(
        "redis-lost-for-good",
        "A connection to Redis that was closed counts as a Redis that is gone for ever.",
        checks=("recovery/outage:redis-hung-up",),
    )
)


@REDIS_LOST_FOR_GOOD.wraps(HealthReport.try_redis)
async def try_until_lost(try_redis: Callable[[HealthReport], Awaitable[bool]], /, self: HealthReport) -> bool:
    """Report Redis as down for ever once its connection was closed."""
    lost = StickyFailure(self.services.settings, "lost")
    if not await _LINES[self.services.store].is_open():
        lost.set()
    return False if lost.is_set else await try_redis(self)


async def _hang_after_pause(services: Services) -> None:
    """Wait an hour before a query if the API has ever stood still."""
    if StickyFailure(services.settings, "pause").is_set:
        await asyncio.sleep(3600)


API_HANGS_AFTER_PAUSE = before_query(
    Defect(
        "api-hangs-after-pause",
        "Once the API has stood still for a second, it answers no question any more.",
        checks=("recovery/outage:api-paused",),
    ),
    _hang_after_pause,
)


@API_HANGS_AFTER_PAUSE.wraps(running)
@asynccontextmanager
async def running_and_watching(original: Running, /, services: Services) -> AsyncIterator[None]:
    """Run the application, and watch for a pause of its process."""
    async with original(services):
        watching = asyncio.create_task(_watch_pauses(StickyFailure(services.settings, "pause")))
        try:
            yield
        finally:
            watching.cancel()


async def _watch_pauses(paused: StickyFailure) -> None:
    """Record when this process has stood still; until cancelled."""
    while True:
        before = time.monotonic()
        await asyncio.sleep(_TICK_S)
        if time.monotonic() - before > _PAUSED_S:
            paused.set()
