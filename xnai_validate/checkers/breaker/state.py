"""`breaker.state`: what a breaker keeps in Redis while it goes once around."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

from xnai_validate.checkers.breaker._params import CycleParams
from xnai_validate.checkers.breaker._readings import Reading
from xnai_validate.checkers.breaker.cycle import Cycle, cycle_of
from xnai_validate.kit import Context, Count, Facts, NotApplicable, Seconds, checker

FIELDS = (
    "state", "failure_count", "last_failure_time", "success_count", "last_success_time", "total_calls",
    "total_failures", "total_successes",
)  # fmt: skip
"""What the key holds, as the stack promises it."""
COUNTERS = ("failure_count", "success_count", "total_calls", "total_failures", "total_successes")


class StateFacts(Facts):
    """The key of a breaker, as it was after every call of a cycle."""

    readings: Count
    """How often the key was read, and told something or not."""
    unreadable: Count
    """How often Redis did not answer."""
    present: bool
    """Whether the key was there each time."""
    well_formed: bool
    """Whether it was a JSON object each time that names one of the three states and counts in whole numbers."""
    missing_fields: list[str]
    """Promised fields that it lacked at any time."""
    expires: bool | None
    """Whether it had a time to live each time; null where it was never there."""
    ttl_s: Seconds | None
    """The shortest time to live that was seen while the breaker was open; null where it never expires."""
    ttl_outlives_recovery: bool | None
    """Whether, each time while the breaker was open, the key had longer to live than the breaker had to stay open; null
    where the breaker did not open, or the key could not be read then."""
    lost_while_open: Count
    """How often the key was not there, or told no state, while calls were refused."""
    told_otherwise: Count
    """How often the key told another state than `open` while calls were refused, within the recovery time."""
    totals_consistent: bool
    """Whether the totals never fell, and the calls were no fewer than failures and successes together."""
    failures_miscounted: int | None
    """By how much `total_failures` moved more than calls failed; null where that is not known."""
    successes_miscounted: int | None
    """By how much `total_successes` moved more than calls succeeded; null where that is not known."""
    failure_counts: list[int]
    """`failure_count` after each failure until it opened: 1, 2, 3."""
    last_failure_error_s: Seconds | None
    """How far `last_failure_time` lies outside the time of the call that failed last, by the clock of Redis."""


@checker(
    "breaker.state",
    expect={"present": True, "well_formed": True, "missing_fields": [], "ttl_outlives_recovery": True},
    exclusive=True,
)
async def state(params: CycleParams, ctx: Context) -> StateFacts:
    """Read a circuit breaker's key in Redis after every call of a cycle: is it there, complete, true, kept long enough.

    Params as of `breaker.cycle`, with a `key`; equal ones share one drive.

        kind: breaker.state
        target: api
        with: {name: rag_api, key: "circuit_breaker:rag_api", failures: 3, recovery: 60s, call: ..., trip: ...}
        expect: {ttl_s: {min: 60}, lost_while_open: 0, failures_miscounted: 0}
    """
    if params.key is None:
        raise NotApplicable(f"no key in Redis is configured for the breaker {params.name}")
    seen = await cycle_of(params, ctx)
    held = [one for one in _all(seen) if one.readable]
    there = [one for one in held if one.present]
    failures, successes = _miscounted(seen)
    lost, otherwise = _while_open(seen, params.recovery)
    return StateFacts(
        readings=len(list(_all(seen))),
        unreadable=len(list(_all(seen))) - len(held),
        present=bool(held) and len(there) == len(held),
        well_formed=bool(there) and all(_well_formed(one) for one in there),
        missing_fields=[name for name in FIELDS if any(name not in (one.document or {}) for one in there)],
        expires=all(one.ttl_s is not None for one in there) if there else None,
        ttl_s=min((one.ttl_s for one in _open(seen) if one.ttl_s is not None), default=None),
        ttl_outlives_recovery=_outlives(seen, params.recovery),
        lost_while_open=lost,
        told_otherwise=otherwise,
        totals_consistent=_consistent(there),
        failures_miscounted=failures,
        successes_miscounted=successes,
        failure_counts=_failure_counts(seen),
        last_failure_error_s=_last_failure_error_s(seen),
    )


def _all(seen: Cycle) -> Iterator[Reading]:
    if seen.before is not None:
        yield seen.before
    yield from seen.opening.counted
    yield from _open(seen)
    if seen.after is not None:
        yield seen.after


def _failure_counts(seen: Cycle) -> list[int]:
    counts = [one.number("failure_count") for one in seen.opening.counted]
    return [int(count) for count in counts if count is not None]


def _open(seen: Cycle) -> list[Reading]:
    """The key while calls were refused."""
    first = seen.opening.refused
    return [first, *seen.waiting.readings] if first else seen.waiting.readings


def _while_open(seen: Cycle, recovery_s: float) -> tuple[int, int]:
    """How often, while calls were refused, the key told no state, and how often another state than `open`."""
    if seen.opening.opened is None:
        return 0, 0
    until_s = seen.opening.opened[0] + recovery_s
    readable = [one for one in _open(seen) if one.readable]
    lost = sum(one.state is None for one in readable)
    return lost, sum(one.state not in (None, "open") and one.told_s < until_s for one in readable)


def _outlives(seen: Cycle, recovery_s: float) -> bool | None:
    if seen.opening.opened is None:
        return None
    until_s = seen.opening.opened[1] + recovery_s
    readings = [one for one in _open(seen) if one.readable and one.told_s < until_s]
    if not readings:
        return None
    return all(one.present and (one.ttl_s is None or one.ttl_s > until_s - one.told_s) for one in readings)


def _well_formed(reading: Reading) -> bool:
    counts = [(reading.document or {}).get(name, 0) for name in COUNTERS]
    return reading.state is not None and all(type(count) is int and count >= 0 for count in counts)


def _consistent(readings: Sequence[Reading]) -> bool:
    totals = [[one.number(name) for name in COUNTERS[2:]] for one in readings]
    known = [[number for number in total if number is not None] for total in totals]
    rising = all(
        earlier <= later
        for before, after in pairwise(known)
        if len(before) == len(after) == 3
        for earlier, later in zip(before, after, strict=True)
    )
    return rising and all(total[0] >= total[1] + total[2] for total in known if len(total) == 3)


def _miscounted(seen: Cycle) -> tuple[int | None, int | None]:
    """By how much the totals of failures and successes moved more than calls failed and succeeded."""
    planted = seen.opening.planted is not None
    if seen.before is None or seen.after is None or seen.driver.unanswered or planted:
        return None, None
    moved = []
    for name, made in zip(("total_failures", "total_successes"), seen.counted, strict=True):
        before, after = seen.before.number(name), seen.after.number(name)
        moved.append(None if before is None or after is None else int(after - before) - made)
    return moved[0], moved[1]


def _last_failure_error_s(seen: Cycle) -> float | None:
    """`last_failure_time` against the time in which the breaker opened, by what the clock of Redis said at a reading.

    The two clocks are compared at the quickest reading, to no more than half the time that it took.
    """
    opened = seen.opening.opened
    readings = [one for one in _open(seen) if one.number("last_failure_time") is not None and one.server_time_s]
    if opened is None or not readings:
        return None
    reading = min(readings, key=lambda one: one.told_s - one.asked_s)
    half_s = (reading.told_s - reading.asked_s) / 2
    offset_s = (reading.server_time_s or 0.0) - (reading.asked_s + half_s)
    at_s = (reading.number("last_failure_time") or 0.0) - offset_s
    return max(0.0, opened[0] - at_s - half_s, at_s - opened[1] - half_s)
