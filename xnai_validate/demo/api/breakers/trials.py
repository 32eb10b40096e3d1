"""The places that a half-open breaker has for trials, counted in Redis for all workers together."""

from __future__ import annotations

import uuid
from collections.abc import Callable

from redis.exceptions import RedisError

from xnai_validate.demo.api.breakers.state import Rule, Snapshot
from xnai_validate.demo.api.failures import StoreUnavailable
from xnai_validate.demo.api.store import Store
from xnai_validate.demo.seams import seam

KEY_PREFIX = "xnai:breaker_trials:"

_ALONE = "alone"
"""The place of a trial that was let through without Redis."""
# KEYS: the breaker's state, its trials. ARGV: now, places, when the new trial is given up, its id, seconds to live.
# A trial that has succeeded keeps its place until the breaker closes: the state counts it.
_TAKE = """
local known, state = pcall(cjson.decode, redis.call('GET', KEYS[1]) or '')
local succeeded = known and type(state) == 'table' and tonumber(state['success_count']) or 0
redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', ARGV[1])
if redis.call('ZCARD', KEYS[2]) + succeeded >= tonumber(ARGV[2]) then return 0 end
redis.call('ZADD', KEYS[2], ARGV[3], ARGV[4])
redis.call('EXPIRE', KEYS[2], ARGV[5])
return 1
"""


class Trials:
    """The trials of one breaker. Those of a worker that has died are given up after `patience_s`."""

    def __init__(self, rule: Rule, key: str, store: Store, now: Callable[[], float], patience_s: float) -> None:
        self._rule, self._key, self._store, self._now = rule, key, store, now
        self._patience_s = patience_s
        self._trials_key = KEY_PREFIX + rule.name
        self._alone = 0

    @seam
    async def take(self, view: Snapshot) -> str | None:
        """A place for one trial, to be returned by `give_back`; None if all are taken.

        Without Redis this worker counts its own trials, from the state of the breaker that it knows (`view`).
        """
        mark, now, until = str(uuid.uuid4()), self._now(), self._now() + self._patience_s
        arguments = [str(now), str(self._rule.successes), str(until), mark, str(int(self._patience_s) + 1)]
        try:
            taken = await self._store.run(lambda redis: redis.eval(_TAKE, 2, self._key, self._trials_key, *arguments))
        except (StoreUnavailable, RedisError):
            if self._alone + view.success_count >= self._rule.successes:
                return None
            self._alone += 1
            return _ALONE
        return mark if taken else None

    async def give_back(self, place: str) -> None:
        """Free the place of a trial that has ended."""
        if place == _ALONE:
            self._alone -= 1
            return
        try:
            await self._store.run(lambda redis: redis.zrem(self._trials_key, place))
        except (StoreUnavailable, RedisError):
            return  # it is given up when its patience is over
