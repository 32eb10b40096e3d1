"""From a question to the passages that may answer it, kept in Redis for a while."""

from __future__ import annotations

import hashlib
import json
import time
from contextlib import suppress
from dataclasses import dataclass

from redis.asyncio import Redis
from redis.exceptions import RedisError

from xnai_validate.demo.api.answers.index import DimensionMismatch, Hit, VectorIndex
from xnai_validate.demo.api.breakers.breakers import Breakers
from xnai_validate.demo.api.failures import CacheFailure, CircuitOpen, ServiceFailure, StoreUnavailable
from xnai_validate.demo.api.monitoring.degradation import Tier
from xnai_validate.demo.api.monitoring.metrics import Metrics
from xnai_validate.demo.api.store import Operation, Store, T

_CACHE = "xnai:cache:retrieval:"
_CACHE_TTL_S = 60


@dataclass(frozen=True, slots=True)
class Context:
    """The passages for one question, best first, and the documents they come from, each once."""

    passages: tuple[str, ...]
    sources: tuple[str, ...]


NO_CONTEXT = Context((), ())


class Retrieval:
    """Searches the index; results are kept in Redis under the breaker `redis_cache`."""

    def __init__(self, index: VectorIndex, store: Store, breakers: Breakers, metrics: Metrics) -> None:
        self._index, self._store, self._metrics = index, store, metrics
        self._breaker = breakers["redis_cache"]

    async def clear_cache(self) -> None:
        """Remove the results that any worker has kept."""
        with suppress(StoreUnavailable, RedisError):
            await self._store.run(_clear)

    async def find(self, question: str, tier: Tier) -> Context:
        """The passages for a question, as many and as long as the tier allows; also without Redis."""
        if not len(self._index) or not tier.top_k:
            return NO_CONTEXT
        started = time.perf_counter()
        key = self._cache_key(question, tier.top_k)
        hits = await self._read_cache(key)
        if hits is None:
            try:
                hits = self._index.search(question, tier.top_k)
            except DimensionMismatch:
                self._metrics.failed("configuration_error", "embeddings")
                return NO_CONTEXT
            await self._write_cache(key, hits)
        self._metrics.retrieval.observe((time.perf_counter() - started) * 1000)
        return _context(hits, tier.context_characters)

    def _cache_key(self, question: str, top_k: int) -> str:
        """Return the key under which the hits of a question are kept."""
        search = f"{len(self._index)}:{top_k}:{question}"
        return _CACHE + hashlib.sha256(search.encode("utf-8", "surrogatepass")).hexdigest()[:32]

    async def _read_cache(self, key: str) -> list[Hit] | None:
        """Return the kept hits; None without any, or if they cannot be read."""
        text = await self._cached(lambda redis: redis.get(key))
        if not isinstance(text, str):
            return None
        try:
            return [self._index.hit(int(place), float(score)) for place, score in json.loads(text)]
        except (ValueError, TypeError, IndexError):
            return None

    async def _write_cache(self, key: str, hits: list[Hit]) -> None:
        """Keep the hits for a while."""
        text = json.dumps([(hit.place, hit.score) for hit in hits])
        await self._cached(lambda redis: redis.set(key, text, ex=_CACHE_TTL_S))

    async def _cached(self, operation: Operation[T]) -> T | None:
        """Do a cache operation under the breaker; None if the cache does not work."""
        try:
            async with self._breaker.call():
                try:
                    return await self._store.run(operation)
                except RedisError as error:
                    raise CacheFailure(type(error).__name__) from error
        except (ServiceFailure, CircuitOpen):
            return None


async def _clear(redis: Redis) -> None:
    """Remove all results, a batch at a time."""
    async for key in redis.scan_iter(f"{_CACHE}*", count=200):
        await redis.unlink(key)


def _context(hits: list[Hit], characters: int) -> Context:
    """The passages that fit into a number of characters; the best passage is cut rather than left out."""
    passages: list[str] = []
    sources: list[str] = []
    for hit in hits:
        room = characters - sum(len(passage) for passage in passages)
        if passages and len(hit.passage) > room:
            break
        passages.append(hit.passage[:room])
        if hit.source not in sources:
            sources.append(hit.source)
    return Context(tuple(passages), tuple(sources))
