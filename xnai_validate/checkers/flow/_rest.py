"""Whether values stand still while a check does nothing: if they do not, other clients of the stack move them."""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from xnai_validate.checkers._watch import Watch, numbers_in, observe_watched
from xnai_validate.kit import Context, NotApplicable, Observed

QUIET_LOOKS = 10
"""How often at most the values are looked at that other clients may move."""
READINGS_KEPT = 4


@dataclass(frozen=True, slots=True)
class Reading:
    """What one look at the watched values measured."""

    begun_s: float
    ended_s: float
    observed: Mapping[tuple[str, str], Observed]
    """(The target of the check, measurement key of the watch) -> the observation."""


@dataclass(slots=True)
class Attempted:
    """A check that has attempted its work."""

    check: Context
    moved_before: bool
    """Whether the values moved before its first attempt, and have not stood still before a later one."""


@dataclass(slots=True)
class Rest:
    """What is known in a run about values that other clients of the stack may move."""

    attempted: list[Attempted] = field(default_factory=list)
    readings: deque[Reading] = field(default_factory=lambda: deque(maxlen=READINGS_KEPT))
    """The last looks of all checks: of a value that stood still since one of them, less is left to wait for."""

    async def look(self, watch: Mapping[str, Watch], ctx: Context) -> Reading:
        """Read the values, and keep the reading for the checks that follow."""
        begun_s = ctx.clock.monotonic()
        target = _target_of(ctx)
        observed = {(target, key): value for key, value in (await observe_watched(watch, ctx)).items()}
        reading = Reading(begun_s, ctx.clock.monotonic(), observed)
        self.readings.append(reading)
        return reading

    def still_since(self, reading: Reading, watch: Mapping[str, Watch], ctx: Context) -> Reading:
        """The earliest kept reading from which on every one of these values is the same until `reading`."""
        values, since = values_in(reading, watch, ctx), reading
        for earlier in reversed(self.readings):
            if earlier.begun_s < reading.begun_s:
                known = values_in(earlier, watch, ctx)
                if known.keys() == watch.keys() and known != values:
                    break
                if known == values and known.keys() == watch.keys():
                    since = earlier
        return since


@asynccontextmanager
async def hold_rest() -> AsyncIterator[Rest]:
    """Yield what is known of values at rest, for as long as the run lasts."""
    yield Rest()


def values_in(reading: Reading, watch: Mapping[str, Watch], ctx: Context) -> dict[str, float | None]:
    """Name -> number, for the watches that a reading has measured."""
    target = _target_of(ctx)
    measured = {key: seen for (of, key), seen in reading.observed.items() if of == target}
    known, _ = numbers_in(measured, {name: each for name, each in watch.items() if each.measurement_key in measured})
    return known


def _target_of(ctx: Context) -> str:
    """The name of the target of a check, which watches without a target of their own read; empty if it has none."""
    try:
        return ctx.target.name
    except NotApplicable:
        return ""
