"""Bringing a breaker to open: making its calls fail for as long as that is wanted, or planting the state."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from xnai_validate.checkers.breaker._params import BreakerParams
from xnai_validate.kit import Context, NotApplicable, Observation, Unmeasurable


def must_open(params: BreakerParams) -> None:
    """Raises NotApplicable where nothing is configured that brings the breaker to open."""
    if params.trip.planted is None:
        must_fail(params)


def must_have_time(params: BreakerParams, ctx: Context, recoveries: int = 1) -> None:
    """Raises Unmeasurable where the check would be ended before so many recovery times are over."""
    least_s = recoveries * params.recovery
    if ctx.timeout_s <= least_s:
        raise Unmeasurable(
            f"this takes {least_s:g} s at the least, for the recovery time of the breaker {params.name},"
            f" and the check is ended after {ctx.timeout_s:g} s",
            hint="give the check a longer `timeout`",
        )


def must_fail(params: BreakerParams) -> None:
    """Raises NotApplicable where nothing is configured that makes calls through the breaker fail."""
    if params.trip.request is None and params.trip.fault is None:
        raise NotApplicable(f"nothing is configured that makes calls through the breaker {params.name} fail")


@asynccontextmanager
async def failing(params: BreakerParams, ctx: Context) -> AsyncIterator[Observation]:
    """The call that fails within. Raises NotApplicable where nothing is configured that makes calls fail."""
    must_fail(params)
    if params.trip.fault is not None:
        async with ctx.injected(params.trip.fault):
            yield params.call
    elif params.trip.request is not None:
        yield params.trip.request
