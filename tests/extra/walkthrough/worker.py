"""The worker of the bookshop: packs what was ordered."""

from __future__ import annotations

import asyncio
import os

import asyncpg
from redis.asyncio import Redis

QUEUE = "jobs"


async def main() -> None:
    """Pack orders until the process ends."""
    db = await asyncpg.connect(os.environ["DATABASE_URL"])
    queue = Redis.from_url(os.environ["REDIS_URL"], decode_responses=True)
    while True:
        job = await queue.brpop([QUEUE], timeout=1)
        if job is not None:
            await db.execute("update orders set state = 'packed' where id = $1", job[1])


if __name__ == "__main__":
    asyncio.run(main())
