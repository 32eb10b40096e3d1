"""Which agents are connected to which worker, and broadcasts between workers, through Redis.

The hash `xnai:rooms` has a field a worker, the channel `xnai:rooms` a message a broadcast. While Redis is away each
worker knows its own agents only.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import suppress

from pydantic import JsonValue
from redis.asyncio import Redis
from redis.exceptions import RedisError

from xnai_validate.demo.api.failures import StoreUnavailable
from xnai_validate.demo.api.store import Store

Member = tuple[str, str]
"""A room and an agent in it."""
Message = dict[str, JsonValue]

_NAME = "xnai:rooms"
_KEPT_S = 3600
_AGAIN_S = 1.0


class Presence:
    """Shares the agents and broadcasts of one worker with the others, and reads theirs."""

    def __init__(self, store: Store, worker: int, here: Callable[[], list[Member]]) -> None:
        self._store, self._worker, self._here = store, str(worker), here
        self._publishing = asyncio.Lock()
        self._outdated = False
        """Whether Redis does not know which agents are connected here: it was away, or too slow."""

    async def publish(self) -> None:
        """Write down which agents are connected here."""
        async with self._publishing:  # the last write must be the latest state
            self._outdated = True
            with suppress(StoreUnavailable, RedisError):
                await self._store.run(self._write_members)
                self._outdated = False

    async def publish_what_failed(self) -> None:
        """Write it down again as soon as Redis takes it, until cancelled."""
        while True:
            await asyncio.sleep(_AGAIN_S)
            if self._outdated:
                await self.publish()

    async def _write_members(self, redis: Redis) -> None:
        """Write the members of this worker to Redis."""
        pipe = redis.pipeline(transaction=False)
        pipe.hset(_NAME, self._worker, json.dumps(self._here()))
        pipe.expire(_NAME, _KEPT_S)
        await pipe.execute()

    async def elsewhere(self) -> list[Member]:
        """The agents that are connected to the other workers."""
        try:
            texts: dict[str, str] = await self._store.run(lambda redis: redis.hgetall(_NAME))  # type: ignore[arg-type,return-value]  # as above
            members = [json.loads(text) for worker, text in texts.items() if worker != self._worker]
            return [(str(room), str(agent)) for pairs in members for room, agent in pairs]
        except (StoreUnavailable, RedisError, ValueError, TypeError):
            return []

    async def pass_on(self, message: Message) -> None:
        """Send a broadcast to the other workers."""
        text = json.dumps({**message, "worker": self._worker})
        with suppress(StoreUnavailable, RedisError):
            await self._store.run(lambda redis: redis.publish(_NAME, text))

    async def received(self) -> AsyncIterator[Message]:
        """The broadcasts of the other workers, as they come."""
        async for text in self._store.messages(_NAME):
            message = json.loads(text)
            if message.pop("worker") != self._worker:
                yield message
