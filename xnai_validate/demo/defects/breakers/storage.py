"""Breakers whose state in Redis is missing, wrong, or not obeyed."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import suppress
from weakref import WeakSet

from redis.exceptions import RedisError

from xnai_validate.demo.api.breakers.breaker import Breaker, serialised, ttl_s
from xnai_validate.demo.api.breakers.breakers import Breakers
from xnai_validate.demo.api.breakers.state import Rule, Snapshot, State, parse
from xnai_validate.demo.api.failures import StoreUnavailable
from xnai_validate.demo.defects.defect import Defect

Read = Callable[[Breaker], Awaitable[Snapshot]]
Swap = Callable[[Breaker, str], Awaitable[str | None]]

MEMORY_ONLY = Defect(
    "breaker-memory-only",
    "The state of a breaker is written once and then kept in memory.",
    checks=("breakers/open:opens", "breakers/open:obeyed"),
)


@MEMORY_ONLY.wraps(Breaker.read)
async def read_memory(_: Read, /, self: Breaker) -> Snapshot:
    """Return the state in memory, without a look at Redis."""
    return self.view


@MEMORY_ONLY.wraps(Breakers.read_all)
async def read_none(_: Callable[[Breakers], Awaitable[None]], /, self: Breakers) -> None:
    """Read none of the states that other workers have written."""


@MEMORY_ONLY.wraps(Breaker.swap)
async def write_once(swap: Swap, /, self: Breaker, text: str) -> str | None:
    """Write the state to Redis only if none is known yet."""
    return None if self.text else await swap(self, text)


FORGETS_ON_RESTART = Defect(
    "breaker-forgets-on-restart",
    "A restart of the API closes every breaker.",
    checks=("breakers/open:survives-restart",),
)


@FORGETS_ON_RESTART.wraps(Breakers.start)
async def start_afresh(start: Callable[[Breakers], Awaitable[None]], /, self: Breakers) -> None:
    """Delete the keys of all breakers before the start, so that every breaker is closed."""
    with suppress(StoreUnavailable, RedisError):
        await self.store.run(lambda redis: redis.delete(*(breaker.key for breaker in self)))
    await start(self)


NEVER_RETURNS = Defect(
    "breaker-never-returns",
    "After Redis was away, a breaker never asks it again.",
    checks=("breakers/cycle:closes-after-outage", "breakers/open:obeyed-after-outage"),
)
_ESTRANGED: WeakSet[Breaker] = WeakSet()
"""The breakers that go by their memory for good."""


@NEVER_RETURNS.wraps(Breaker.read)
async def read_until_outage(read: Read, /, self: Breaker) -> Snapshot:
    """Read the state from Redis until Redis fails once; after that return the one in memory."""
    return self.view if self in _ESTRANGED else await read(self)


@NEVER_RETURNS.wraps(Breaker.without_redis)
def give_up(
    original: Callable[[Breaker, StoreUnavailable], Snapshot], /, self: Breaker, error: StoreUnavailable
) -> Snapshot:
    """Remember that Redis failed, so that this breaker never uses it again."""
    _ESTRANGED.add(self)
    return original(self, error)


@NEVER_RETURNS.wraps(Breaker.swap)
async def swap_until_outage(swap: Swap, /, self: Breaker, text: str) -> str | None:
    """Write the state to Redis until Redis fails once; after that write nothing."""
    if self in _ESTRANGED:
        return None
    try:
        return await swap(self, text)
    except (StoreUnavailable, RedisError):
        _ESTRANGED.add(self)
        raise


@NEVER_RETURNS.wraps(Breaker.observe)
def observe_until_outage(
    observe: Callable[[Breaker, str | bytes | None], None], /, self: Breaker, text: str | bytes | None
) -> None:
    """Take over the state that Redis has until Redis fails once; after that ignore it."""
    if self not in _ESTRANGED:
        observe(self, text)


METRIC_STUCK = Defect(
    "breaker-metric-stuck",
    "The metric of a breaker's state is closed for ever.",
    checks=("breakers/cycle:told-alike", "breakers/open:gauge"),
)


@METRIC_STUCK.wraps(Breaker.show)
def show_closed(show: Callable[[Breaker, Snapshot], None], /, self: Breaker, snapshot: Snapshot) -> None:
    """Set the gauge to closed, whatever the state is."""
    show(self, Snapshot())


KEYS_MISSING = Defect(
    "breaker-keys-missing",
    "The breakers have no keys in Redis.",
    checks=("dependencies/chain:breakers-kept",),
)


@KEYS_MISSING.wraps(Breaker.swap)
async def write_nothing(_: Swap, /, self: Breaker, text: str) -> str | None:
    """Write no state to Redis."""
    return None


def _open_is_torn(text: str) -> str:
    """Return the first 40 characters of the text of an open breaker; any other text unchanged."""
    snapshot = parse(text)
    return text[:40] if snapshot is not None and snapshot.state is State.OPEN else text


KEY_TORN_WHEN_OPEN = Defect(
    "breaker-key-torn-when-open",
    "The key of an open breaker holds half of its JSON.",
    checks=("breakers/cycle:state-kept",),
).changes(serialised, _open_is_torn)

KEY_NOT_JSON = Defect(
    "breaker-key-not-json",
    "The keys of the breakers hold something that is not JSON.",
    checks=("dependencies/chain:breaker-rag", "dependencies/chain:breakers-kept", "breakers/cache:kept"),
)


@KEY_NOT_JSON.wraps(serialised)
def as_python(_: Callable[[Snapshot], str], /, snapshot: Snapshot) -> str:
    """Return the state as Python would print it, which is not JSON."""
    return f"Snapshot(state={snapshot.state.value!r}, failure_count={snapshot.failure_count})"


# 0 is not a time to live: the script that writes the key leaves it out.
KEY_WITHOUT_TTL = Defect(
    "breaker-key-without-ttl",
    "The keys of the breakers never expire.",
    checks=("dependencies/chain:breaker-rag", "dependencies/chain:breakers-kept"),
).changes(ttl_s, lambda _: 0)

KEY_SHORT_TTL = Defect(
    "breaker-key-short-ttl",
    "The keys of the breakers expire before the recovery time is over.",
    checks=("breakers/cycle:state-outlives", "dependencies/chain:breaker-rag"),
)


@KEY_SHORT_TTL.wraps(ttl_s)
def half_the_recovery_time(_: Callable[[Rule], int], /, rule: Rule) -> int:
    """Return half of the recovery time as the time to live of the key."""
    return max(1, int(rule.recovery_s / 2))
