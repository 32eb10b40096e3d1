"""One measurement for many checks: a breaker is driven once a run for all that judge the same of it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Generic, TypeVar

from xnai_validate.checkers.breaker.params import BreakerParams
from xnai_validate.kit import Context

T = TypeVar("T")


class Measured(Generic[T]):
    """A measurement that was made, and who has been given it."""

    def __init__(self) -> None:
        self.value: T | None = None
        self.given: list[Context] = []


async def once(name: str, params: BreakerParams, ctx: Context, drive: Callable[[], Awaitable[T]]) -> T:
    """What `drive`, of that name, measured for an equal check of this run; it is called where there is none yet.

    A check that asks again, for its attempt did not hold, is measured anew, and so are those that ask after it. Only
    within another check (a flow) an attempt cannot be told from the next check: there the first measurement serves the
    whole run. What could not be measured is not kept. The checks that ask are exclusive, so no two ask at once.
    """
    key = ("breaker", name, params.model_dump_json(), ctx.target)
    memory: Measured[T] = await ctx.shared(key, _memory)
    if memory.value is None or any(one is ctx for one in memory.given):
        memory.value = None
        memory.given = []
        memory.value = await drive()
    memory.given.append(ctx)
    return memory.value


@asynccontextmanager
async def _memory() -> AsyncIterator[Measured[T]]:
    yield Measured()
