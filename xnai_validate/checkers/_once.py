"""One measurement for many checks: what takes long is measured once a run for all that judge the same of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Generic, TypeVar

from xnai_validate.kit import Context, NotApplicable, Params, Target

T = TypeVar("T")


class Measured(Generic[T]):
    """A measurement that was made, and who has been given it."""

    def __init__(self) -> None:
        self.value: T | None = None
        self.given: list[Context] = []
        self.lock = asyncio.Lock()


async def once(name: str, params: Params, ctx: Context, drive: Callable[[], Awaitable[T]]) -> T:
    """Return the cached result for an identical check of this run; call `drive` on a miss.

    A check that asks again, for its attempt did not hold, is measured anew, and so are those that ask after it. Only
    within another check (a flow) an attempt cannot be distinguished from the next check: there the first measurement
    serves the whole run. What could not be measured is not kept, nor what was measured while the stack was disturbed
    for the check. Of checks that ask at the same time the first drives and the others wait.
    """
    if ctx.active_faults:
        return await drive()
    key = ("once", name, params.model_dump_json(), _target(ctx))
    memory: Measured[T] = await ctx.shared(key, _memory)
    async with memory.lock:
        if memory.value is None or any(known is ctx for known in memory.given):
            memory.value = None
            memory.given = []
            memory.value = await drive()
        memory.given.append(ctx)
        return memory.value


def _target(ctx: Context) -> Target | None:
    try:
        return ctx.target
    except NotApplicable:
        return None


@asynccontextmanager
async def _memory() -> AsyncIterator[Measured[T]]:
    yield Measured()
