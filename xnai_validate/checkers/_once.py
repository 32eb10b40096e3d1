"""One measurement for many checks: a long one is made once in a run, and all identical checks judge its facts."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Generic, TypeVar, cast

from xnai_validate.kit import Context, NotApplicable, Params, Target, Unmeasurable, XnaiError

T = TypeVar("T")


class Measured(Generic[T]):
    """A measurement that was made, and the checks that have its result."""

    def __init__(self) -> None:
        self.made = False
        self.value: T | None = None
        self.error: XnaiError | None = None
        """Why it could not be made; None where it was."""
        self.given: list[Context] = []
        self.lock = asyncio.Lock()


async def once(name: str, params: Params, ctx: Context, drive: Callable[[], Awaitable[T]]) -> T:
    """Return the cached result for an identical check of this run; call `drive` on a miss.

    A drive that could not be measured is shared as well: its error is raised for every identical check, which waits for
    nothing again. A check that asks again, for its attempt did not hold, is measured anew, and so are those that ask
    after it. Only within another check (a flow) an attempt cannot be distinguished from the next check: there the first
    measurement serves the whole run. What was measured while the stack was disturbed for the check is not kept. Of
    checks that ask at the same time the first drives and the others wait.
    """
    if ctx.active_faults:
        return await drive()
    key = ("once", name, params.model_dump_json(), _target_or_none(ctx))
    memory: Measured[T] = await ctx.shared(key, _hold_measurement)
    async with memory.lock:
        if not memory.made or any(known is ctx for known in memory.given):
            await _measure(memory, ctx, drive)
        memory.given.append(ctx)
    if memory.error is not None:
        raise memory.error
    return cast(T, memory.value)


async def _measure(memory: Measured[T], ctx: Context, drive: Callable[[], Awaitable[T]]) -> None:
    """Make the measurement and keep its result, or its error; if it is cut off, keep that for the checks after."""
    memory.made, memory.value, memory.error, memory.given = True, None, None, []
    try:
        memory.value = await drive()
    except XnaiError as error:
        memory.error = error
    except asyncio.CancelledError:
        at = f", which was at: {ctx.stage}" if ctx.stage else ""
        memory.error = Unmeasurable(
            f"an identical check before this was cut off after {ctx.timeout_s:g} s{at}",
            hint="give the check a longer `timeout`",
        )
        raise
    except BaseException:
        memory.made = False
        raise


def _target_or_none(ctx: Context) -> Target | None:
    """Return the target of the check, if it has one."""
    try:
        return ctx.target
    except NotApplicable:
        return None


@asynccontextmanager
async def _hold_measurement() -> AsyncIterator[Measured[T]]:
    """Yield an empty `Measured`, which the run keeps until its end."""
    yield Measured()
