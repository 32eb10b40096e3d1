"""Conditions for opening a breaker, and making its calls fail for a while."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from xnai_validate.checkers.breaker._driver.phases import Opening
from xnai_validate.checkers.breaker._models import BreakerParams
from xnai_validate.kit import Context, NotApplicable, Observation, Unmeasurable

UNOPENED = ("breaker", "unopened")
"""The key of what a run knows of breakers that did not open."""


def must_open(params: BreakerParams) -> None:
    """Raise NotApplicable if nothing is configured that opens the breaker."""
    if params.trip.planted_alone is None:
        must_fail(params)


def must_have_time(params: BreakerParams, ctx: Context, recoveries: int = 1) -> None:
    """Raise Unmeasurable if the time limit of the check is shorter than that number of recovery times."""
    least_s = recoveries * params.recovery
    if ctx.timeout_s <= least_s:
        raise Unmeasurable(
            f"this takes at least {least_s:g} s, because of the recovery time of the breaker {params.name},"
            f" and the time limit of the check is {ctx.timeout_s:g} s",
            hint="give the check a longer `timeout`",
        )


def must_fail(params: BreakerParams) -> None:
    """Raise NotApplicable if nothing is configured that makes calls through the breaker fail."""
    if params.trip.request is None and params.trip.fault is None:
        raise NotApplicable(f"nothing is configured that makes calls through the breaker {params.name} fail")


async def note_unopened(params: BreakerParams, ctx: Context, opening: Opening) -> None:
    """Keep for the rest of the run that calls that fail do not open this breaker."""
    reasons = await ctx.shared(UNOPENED, _hold_reasons)
    reasons[_trip_key(params)] = f"the breaker {params.name} did not open: {opening.detail}"


async def refuse_unopened(params: BreakerParams, ctx: Context) -> None:
    """Raise Unmeasurable if a check before found that calls that fail do not open this breaker."""
    reasons = await ctx.shared(UNOPENED, _hold_reasons)
    if (reason := reasons.get(_trip_key(params))) is not None:
        raise Unmeasurable(reason)


def _trip_key(params: BreakerParams) -> str:
    """Return a text that is equal for equal ways to open the same breaker."""
    return f"{params.name} {params.call.key} {params.trip.model_dump_json()}"


@asynccontextmanager
async def _hold_reasons() -> AsyncIterator[dict[str, str]]:
    """Yield what remembers, for as long as the run lasts, why a breaker could not be opened."""
    yield {}


@asynccontextmanager
async def failing(params: BreakerParams, ctx: Context) -> AsyncIterator[Observation]:
    """Make calls fail within the context; the value is the call. Raises NotApplicable if nothing makes calls fail."""
    must_fail(params)
    if params.trip.fault is not None:
        async with ctx.injected(params.trip.fault):
            yield params.call
    elif params.trip.request is not None:
        yield params.trip.request
