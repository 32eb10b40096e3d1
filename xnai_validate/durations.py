"""How long the checks of a plan take: their time limits, times that do not fit, and the expected duration of a run."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence

from xnai_validate.kit import Observation, Waits
from xnai_validate.model.units import format_ms
from xnai_validate.plan import NOTHING, CompiledMeasurement, ExpectedTime, Limits, PlannedCheck, PlannedFault

SHORTEST_LIMIT_S = 30.0
"""The time limit of a check whose waits are short or not known."""
SPARE_S = 30.0
"""What is added to the waits of a check for its time limit: requests on a busy machine."""
FAULT_S = 0.3
"""How long it usually takes to inject and revert a fault, and to prove it."""
SHARED_S = 0.01
"""The time of a check that is given the measurement of an equal one."""
RESTART_SHARE = 0.05
"""The share of the time that a restart may take which it usually takes."""


def waits_of(measurement: CompiledMeasurement) -> Waits:
    """The times of a measurement by its params."""
    if not measurement.is_complete:
        return Waits()

    def inner(observation: Observation) -> Waits:
        found = measurement.observations.get(observation.key)
        return waits_of(found) if found is not None else Waits()

    return measurement.checker.waits(measurement.params, inner)


def time_limit_s(measurement: CompiledMeasurement) -> float:
    """The time limit of a check that does not set one: what its own waits take, and a little more."""
    longest_s = waits_of(measurement).longest_s
    return SHORTEST_LIMIT_S if longest_s is None else max(SHORTEST_LIMIT_S, math.ceil(longest_s + SPARE_S))


def misfits(check: PlannedCheck) -> Iterator[str]:
    """The times of a check that do not fit together, in sentences."""
    waits = waits_of(check.measurement)
    longest_s = waits.longest_s or 0.0
    if longest_s > check.timeout_s:
        yield (
            f"{check.id} waits for up to {_text(longest_s)}, and its time limit is {_text(check.timeout_s)}; leave out "
            "its `timeout`, which then follows from its waits"
        )
    under_s = check.until.within_s if check.until else longest_s
    for planned, held_s in (
        *((each, waits.held_s) for each in check.measurement.faults),
        *((each, under_s) for each in check.under),
    ):
        if held_s > planned.fault.limit_s:
            yield (
                f"{check.id} keeps {planned.fault.name} in force for up to {_text(held_s)}, and it is reverted after "
                f"{_text(planned.fault.limit_s)} at the latest"
            )


def deadline_misfits(checks: Sequence[PlannedCheck], limits: Limits) -> Iterator[str]:
    """Why a run cannot keep to the deadline that its profile sets, in sentences."""
    expected_s = expected_time(checks, limits).usual_s
    within = f"the deadline is {_text(limits.deadline_s)}; leave it out, and it follows from the checks"
    if expected_s > limits.deadline_s:
        yield f"the checks take about {_text(expected_s)}, and {within}"
    for check in checks:
        if check.skip is None and check.timeout_s > limits.deadline_s:
            yield f"the time limit of {check.id} is {_text(check.timeout_s)}, and {within}"


def expected_time(checks: Sequence[PlannedCheck], limits: Limits, known: Mapping[str, float] = NOTHING) -> ExpectedTime:
    """The expected duration of the checks; `known` are durations of an earlier run, by full id.

    Checks that run alone add up, those of a group count as the longest, and the others run at the same time as far as
    the limits allow.
    """
    by_params, longest = _times(checks)
    usual = {check_id: known.get(check_id, seconds) for check_id, seconds in by_params.items()}
    running = [check for check in checks if check.id in usual]
    usual_s, beside = _total(running, usual, limits)
    by_check = {check.id: usual[check.id] * (1.0 if check.runs_alone else beside) for check in running}
    return ExpectedTime(usual_s, _total(running, longest, limits)[0], by_check, by_params)


def _times(checks: Sequence[PlannedCheck]) -> tuple[dict[str, float], dict[str, float]]:
    """Full id -> its usual seconds, and its longest ones, of each check that is not skipped."""
    usual: dict[str, float] = {}
    longest: dict[str, float] = {}
    measured: set[tuple[str, str, str | None]] = set()
    for check in checks:
        if check.skip is not None:
            continue
        waits = waits_of(check.measurement)
        usual[check.id] = waits.usual_s + sum(map(_fault_s, check.faults))
        longest[check.id] = _longest_s(check)
        if waits.shared is not None and not check.under:
            key = (waits.shared, check.measurement.params.model_dump_json(), check.measurement.target)
            if key in measured:
                usual[check.id] = longest[check.id] = SHARED_S
            measured.add(key)
    return usual, longest


def _fault_s(planned: PlannedFault) -> float:
    within: float = getattr(planned.params, "within", 0.0)
    return FAULT_S + RESTART_SHARE * within


def _longest_s(check: PlannedCheck) -> float:
    if check.until is not None:
        measured_s = check.until.within_s + min(check.timeout_s, 1.0)
    else:
        measured_s = check.retry.attempts * (check.timeout_s + check.retry.delay_s)
    return measured_s + sum(planned.fault.grace_s for planned in check.faults)


def _total(checks: Sequence[PlannedCheck], seconds: Mapping[str, float], limits: Limits) -> tuple[float, float]:
    """The duration of checks with these durations, and the share of it for a second of a check that runs beside."""
    alone_s = 0.0
    groups: dict[str, float] = {}
    beside: list[PlannedCheck] = []
    for check in checks:
        if not check.runs_alone:
            beside.append(check)
        elif check.together is None:
            alone_s += seconds[check.id]
        else:
            groups[check.together] = max(groups.get(check.together, 0.0), seconds[check.id])
    sum_s = sum(seconds[check.id] for check in beside)
    lanes = max(1, min(limits.concurrency, limits.per_target))
    beside_s = max(sum_s / lanes, _longest_chain(beside, seconds))
    return alone_s + sum(groups.values()) + beside_s, beside_s / sum_s if sum_s else 0.0


def _longest_chain(checks: Sequence[PlannedCheck], seconds: Mapping[str, float]) -> float:
    """The seconds of the longest chain of checks that need one another."""
    known = {check.id: check for check in checks}
    until: dict[str, float] = {}
    for check in checks:
        path = [check.id]
        while path:
            current = known[path[-1]]
            pending = [need for need in current.needs if need in known and need not in until]
            if pending:
                path.extend(pending)
                continue
            before = max((until[need] for need in current.needs if need in known), default=0.0)
            until[current.id] = before + seconds[current.id]
            path.pop()
    return max(until.values(), default=0.0)


def _text(seconds: float) -> str:
    return format_ms(seconds * 1000)
