"""`breaker.state`: what a breaker keeps in Redis while it goes through its states."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

from xnai_validate.checkers.breaker._driver.readings import Reading
from xnai_validate.checkers.breaker._driver.waits import drive_waits
from xnai_validate.checkers.breaker._models import CycleParams
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
    """How often the key was read."""
    unreadable: Count
    """How often Redis did not answer."""
    present: bool
    """Whether the key was there each time."""
    well_formed: bool
    """Whether it was a JSON object each time that names one of the three states and counts in whole numbers."""
    missing_fields: list[str]
    """Promised fields that it lacked at any time."""
    expires: bool | None
    """Whether it had a time to live each time; null if it never existed."""
    ttl_s: Seconds | None
    """The shortest time to live while the breaker was open; null if it never expires."""
    ttl_outlives_recovery: bool | None
    """Whether, each time while the breaker was open, the key had longer to live than the breaker had to stay open; null
    if the breaker did not open, or the key could not be read then."""
    lost_while_open: Count | None
    """How often the key did not exist, or had no state, while calls were refused."""
    told_otherwise: Count | None
    """How often the key had another state than `open` while calls were refused, within the recovery time."""
    totals_consistent: bool | None
    """Whether the totals never fell, and the calls were no fewer than failures and successes together."""
    failures_miscounted: int | None
    """By how much `total_failures` moved more than calls failed; null if that is not known."""
    successes_miscounted: int | None
    """By how much `total_successes` moved more than calls succeeded; null if that is not known."""
    failure_counts: list[int]
    """`failure_count` after each failure until it opened: 1, 2, 3."""
    last_failure_error_s: Seconds | None
    """How far `last_failure_time` is outside the time of the last failed call, by the clock of Redis."""


@checker(
    "breaker.state",
    exclusive=True,
    waits=drive_waits("breaker.cycle"),
)
async def state(params: CycleParams, ctx: Context) -> StateFacts:
    """Read a circuit breaker's key in Redis after every call of a cycle: is it complete, right, and kept long enough.

    Params as of `breaker.cycle`, with a `key`; identical checks share one measurement.

        kind: breaker.state
        target: api
        with: {name: rag_api, key: "circuit_breaker:rag_api", failures: 3, recovery: 60s, call: ..., trip: ...}
        expect: {present: true, ttl_s: {min: 60}, lost_while_open: 0, failures_miscounted: 0}
    """
    if params.key is None:
        raise NotApplicable(f"no key in Redis is configured for the breaker {params.name}")
    record = await cycle_of(params, ctx)
    readable = [reading for reading in _all_readings(record) if reading.readable]
    present = [reading for reading in readable if reading.present]
    failures, successes = _count_difference(record)
    lost, other_state = _while_open(record, params.recovery)
    opened = record.opening.opened is not None
    # Without the key most facts are null; this reason explains them better than where the cycle ended.
    never_seen = None if present else f"the key {params.key} was never there"
    return StateFacts(
        readings=len(list(_all_readings(record))),
        unreadable=len(list(_all_readings(record))) - len(readable),
        present=bool(readable) and len(present) == len(readable),
        well_formed=bool(present) and all(_is_well_formed(reading) for reading in present),
        missing_fields=[name for name in FIELDS if any(name not in (reading.document or {}) for reading in present)],
        expires=all(reading.ttl_s is not None for reading in present) if present else None,
        ttl_s=min((reading.ttl_s for reading in _open_readings(record) if reading.ttl_s is not None), default=None),
        ttl_outlives_recovery=_key_outlives_recovery(record, params.recovery) if present else None,
        lost_while_open=lost if opened else None,
        told_otherwise=other_state if opened else None,
        totals_consistent=_are_consistent(present) if present else None,
        failures_miscounted=failures,
        successes_miscounted=successes,
        failure_counts=_failure_counts(record),
        last_failure_error_s=_last_failure_error_s(record),
    ).not_reached(never_seen or record.not_reached)


def _all_readings(record: Cycle) -> Iterator[Reading]:
    """Yield the readings of the whole cycle in order."""
    if record.before is not None:
        yield record.before
    yield from record.opening.counted
    yield from _open_readings(record)
    if record.after is not None:
        yield record.after


def _failure_counts(record: Cycle) -> list[int]:
    """Return the failure counts while the breaker was closed."""
    counts = [reading.number("failure_count") for reading in record.opening.counted]
    return [int(count) for count in counts if count is not None]


def _open_readings(record: Cycle) -> list[Reading]:
    """Return the readings of the key while calls were refused."""
    first = record.opening.refused
    return [first, *record.waiting.readings] if first else record.waiting.readings


def _while_open(record: Cycle, recovery_s: float) -> tuple[int, int]:
    """Return how often the key had no state while calls were refused, and how often it had another one than `open`."""
    if record.opening.opened is None:
        return 0, 0
    until_s = record.opening.opened[0] + recovery_s
    readable = [reading for reading in _open_readings(record) if reading.readable]
    lost = sum(reading.state is None for reading in readable)
    return lost, sum(reading.state not in (None, "open") and reading.read_s < until_s for reading in readable)


def _key_outlives_recovery(record: Cycle, recovery_s: float) -> bool | None:
    """Return whether the key lives until the recovery time is over; None if that was not read."""
    if record.opening.opened is None:
        return None
    until_s = record.opening.opened[1] + recovery_s
    readings = [reading for reading in _open_readings(record) if reading.readable and reading.read_s < until_s]
    if not readings:
        return None
    return all(
        reading.present and (reading.ttl_s is None or reading.ttl_s > until_s - reading.read_s) for reading in readings
    )


def _is_well_formed(reading: Reading) -> bool:
    """Whether a reading has a known state and counters that are integers from 0."""
    counts = [(reading.document or {}).get(name, 0) for name in COUNTERS]
    return reading.state is not None and all(type(count) is int and count >= 0 for count in counts)


def _are_consistent(readings: Sequence[Reading]) -> bool:
    """Whether counters never decrease, and all calls are at least those that succeeded and failed."""
    totals = [[reading.number(name) for name in COUNTERS[2:]] for reading in readings]
    known = [[number for number in total if number is not None] for total in totals]
    rising = all(
        earlier <= later
        for before, after in pairwise(known)
        if len(before) == len(after) == 3
        for earlier, later in zip(before, after, strict=True)
    )
    return rising and all(total[0] >= total[1] + total[2] for total in known if len(total) == 3)


def _count_difference(record: Cycle) -> tuple[int | None, int | None]:
    """Return by how much the totals of failures and successes moved more than calls failed and succeeded.

    Successes may be counted from where the breaker is open: a worker that could not write while Redis was away, before
    this cycle, writes its calls when Redis is back, and these come on top of ours.
    """
    if record.before is None or record.after is None or record.driver.unanswered or record.opening.planted is not None:
        return None, None
    begins = [record.before]
    if (refused := record.opening.refused) is not None and refused.readable and refused.present:
        begins.append(refused)
    failures, successes = record.counted
    return (
        _excess([record.before], record.after, "total_failures", failures),
        _excess(begins, record.after, "total_successes", successes),
    )


def _excess(begins: Sequence[Reading], end: Reading, name: str, made: int) -> int | None:
    """Return the change of a total minus the calls `made`; None if it is unknown.

    The change is counted from the one of the readings `begins` that gives the smallest difference.
    """
    after = end.number(name)
    known = [before for reading in begins if (before := reading.number(name)) is not None]
    if after is None or not known:
        return None
    return min((int(after - before) - made for before in known), key=abs)


def _last_failure_error_s(record: Cycle) -> float | None:
    """`last_failure_time` against the time in which the breaker opened, by the clock of Redis at a reading.

    The two clocks are compared at the quickest reading, to no more than half the time that it took.
    """
    opened = record.opening.opened
    readings = [
        reading
        for reading in _open_readings(record)
        if reading.number("last_failure_time") is not None and reading.server_time_s
    ]
    if opened is None or not readings:
        return None
    reading = min(readings, key=lambda reading: reading.read_s - reading.begun_s)
    half_s = (reading.read_s - reading.begun_s) / 2
    offset_s = (reading.server_time_s or 0.0) - (reading.begun_s + half_s)
    at_s = (reading.number("last_failure_time") or 0.0) - offset_s
    return max(0.0, opened[0] - at_s - half_s, at_s - opened[1] - half_s)
