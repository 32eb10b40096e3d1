"""Programs beside the stack that block Redis, or empty it."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Awaitable, Callable

from redis.asyncio import Redis
from redis.exceptions import RedisError

from xnai_validate.demo.defects.defect import Defect
from xnai_validate.demo.services.reconnect import ONCE_MORE, raise_if_cancelled
from xnai_validate.demo.services.worker import run
from xnai_validate.demo.settings import Settings

RunWorker = Callable[[Settings, dict[str, socket.socket], Callable[[], None]], Awaitable[None]]


def _beside_worker(defect: Defect, disturb: Callable[[Redis], Awaitable[object]]) -> Defect:
    """Let a defect do something to Redis again and again, while the worker runs."""

    @defect.wraps(run)
    async def run_disturbed(
        original: RunWorker,
        /,
        settings: Settings,
        sockets: dict[str, socket.socket],
        ready: Callable[[], None],
    ) -> None:
        disturbing = asyncio.create_task(_disturb_again(settings, disturb))
        try:
            await original(settings, sockets, ready)
        finally:
            disturbing.cancel()
            await asyncio.wait({disturbing})  # its connection is closed

    return defect


async def _disturb_again(settings: Settings, disturb: Callable[[Redis], Awaitable[object]]) -> None:
    """Disturb Redis again and again until cancelled."""
    redis: Redis = Redis(port=settings.redis_port, password=settings.redis_password, retry=ONCE_MORE)
    async with redis:
        while True:
            raise_if_cancelled()
            with contextlib.suppress(RedisError, OSError):
                await disturb(redis)
            await asyncio.sleep(0.1)


async def _pause_clients(redis: Redis) -> None:
    """Pause all clients for 1.3 seconds."""
    # DEBUG SLEEP, which would be plainer, is refused by Redis 7 unless it was configured.
    await redis.execute_command("CLIENT", "PAUSE", "1300", "ALL")  # type: ignore[no-untyped-call]
    await asyncio.sleep(1.3)


STALLS = _beside_worker(
    Defect(
        "redis-stalls", "Something blocks Redis for over a second again and again.", checks=("services/redis:ping",)
    ),
    _pause_clients,
)

FLUSHED = _beside_worker(
    Defect(
        "redis-flushed",
        "A forgotten job empties the database ten times a second.",
        checks=("dependencies/chain:breakers-kept",),
    ),
    lambda redis: redis.flushdb(),
)
