"""What a neighbour does to the stack's Redis: only with defects that say so."""

from __future__ import annotations

import asyncio
import contextlib

from redis.asyncio import Redis
from redis.exceptions import RedisError

from xnai_validate.demo.services.reconnect import ONCE_MORE, heed_cancellation
from xnai_validate.demo.settings import Settings


async def disturb(settings: Settings) -> None:
    """Block Redis or empty its first database, again and again, where a defect wants it; else return at once."""
    stalls = settings.broken("redis-stalls")
    if not stalls and not settings.broken("redis-flushed"):
        return
    redis: Redis = Redis(port=settings.redis_port, password=settings.redis_password, retry=ONCE_MORE)
    async with redis:
        while True:
            heed_cancellation()
            with contextlib.suppress(RedisError, OSError):
                if stalls:
                    # DEBUG SLEEP, which would say it more plainly, is refused by Redis 7 unless it was configured.
                    await redis.execute_command("CLIENT", "PAUSE", "1300", "ALL")  # type: ignore[no-untyped-call]
                    await asyncio.sleep(1.3)
                else:
                    await redis.flushdb()
            await asyncio.sleep(0.1)
