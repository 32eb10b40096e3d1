"""How long a run takes, and which times of checks contradict each other."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from xnai_validate.model.results.vantage import AT_ONCE, AT_ONCE_EACH, SPARE_S
from xnai_validate.model.units import format_ms
from xnai_validate.plan import NOTHING, QUICK_S, ExpectedTime, Limits, PlannedCheck, Steady

LOOKS = 2
"""Looks at the whole stack around a check with a fault: one before it, one after it."""
SHARED_S = 0.01
"""The time of a check that shares the measurement of an equal check."""


def time_conflicts(check: PlannedCheck) -> Iterator[str]:
    """The times of a check that contradict each other, in sentences."""
    waits = check.measurement.waits
    longest_s = waits.longest_s or 0.0
    if longest_s > check.timeout_s:
        yield (
            f"{check.id} waits for up to {_format_seconds(longest_s)}, and its time limit is "
            f"{_format_seconds(check.timeout_s)}; leave out its `timeout`, which then follows from its waits"
        )
    under_s = check.until.within_s if check.until else longest_s
    for planned, held_s in (
        *((each, waits.held_s) for each in check.measurement.faults),
        *((each, under_s) for each in check.under),
    ):
        if held_s > planned.fault.limit_s:
            yield (
                f"{check.id} keeps {planned.fault.name} in force for up to {_format_seconds(held_s)}, and it is "
                f"reverted after {_format_seconds(planned.fault.limit_s)} at the latest"
            )


def deadline_conflicts(checks: Sequence[PlannedCheck], limits: Limits) -> Iterator[str]:
    """Why a run cannot keep to the deadline that its profile sets, in sentences."""
    expected_s = Forecast(checks, limits).expected().usual_s
    within = f"the deadline is {_format_seconds(limits.deadline_s)}; leave it out, and it follows from the checks"
    if expected_s > limits.deadline_s:
        yield f"the checks take about {_format_seconds(expected_s)}, and {within}"
    for check in checks:
        if check.skip is None and check.timeout_s > limits.deadline_s:
            yield f"the time limit of {check.id} is {_format_seconds(check.timeout_s)}, and {within}"


@dataclass(frozen=True, slots=True)
class Forecast:
    """Adds up the times of checks: those that run alone, the longest of each group, and the others side by side."""

    checks: Sequence[PlannedCheck]
    limits: Limits
    known_s: Mapping[str, float] = field(default_factory=lambda: NOTHING)
    """Full id -> how long the check took in an earlier run."""
    steady: Steady | None = None
    """What is looked at before and after each check with a fault, until the stack is as before."""
    places: Mapping[str, Sequence[str]] = field(default_factory=lambda: NOTHING)
    """Full id -> the addresses of the workers that measure the check."""

    def expected(self) -> ExpectedTime:
        """The expected duration of the run."""
        by_params, longest = self._times()  # both: full id -> seconds
        usual = {check_id: self.known_s.get(check_id, seconds) for check_id, seconds in by_params.items()}
        usual_s, parallel_share = self._total(usual, by_params)
        by_check = {
            check.id: usual[check.id] * (1.0 if check.runs_alone else parallel_share)
            for check in self.checks
            if check.id in usual
        }
        long = {check_id: seconds for check_id, seconds in by_params.items() if seconds >= QUICK_S}
        longest_s = self._total(longest, longest)[0]
        if self.steady is not None and any(check.faults for check in self.checks if check.id in longest):
            # Once the stack does not come back, the checks that follow do not wait for it again.
            longest_s += self.steady.within_s
        return ExpectedTime(usual_s, longest_s, by_check, long)

    def _times(self) -> tuple[dict[str, float], dict[str, float]]:
        """Full id -> its usual seconds, and its longest ones, of each check that is not skipped."""
        usual: dict[str, float] = {}
        longest: dict[str, float] = {}
        measured: set[tuple[str, str, str | None]] = set()
        for check in self.checks:
            if check.skip is not None:
                continue
            looks_s = self._looks_s if check.faults else 0.0
            spare_s = _tries(check) * SPARE_S if check.id in self.places else 0.0
            rounds = self._rounds(check.id)
            usual[check.id] = check.usual_s * rounds + looks_s
            longest[check.id] = (check.longest_s + spare_s) * rounds + looks_s
            shared = check.measurement.waits.shared
            if shared is not None and not check.under:
                key = (shared, check.measurement.params.model_dump_json(), check.measurement.target)
                if key in measured:
                    usual[check.id] = longest[check.id] = SHARED_S
                measured.add(key)
        return usual, longest

    def _rounds(self, check_id: str) -> int:
        """How often as many workers as measure at a time must measure a check, until each has."""
        return max(1, math.ceil(len(self.places.get(check_id, ())) / AT_ONCE))

    @property
    def _looks_s(self) -> float:
        """Seconds that observing a healthy stack before and after a fault takes; all parts are observed at once."""
        parts = self.steady.observations.values() if self.steady is not None else ()
        return LOOKS * max((part.waits.usual_s for part in parts), default=0.0)

    def _total(self, seconds: Mapping[str, float], by_params: Mapping[str, float]) -> tuple[float, float]:
        """The duration of the checks, and the factor by which running in parallel shortens a check's share of it.

        `by_params`: their seconds without the time that they wait for workers, which those of an earlier run have.
        """
        alone_s = 0.0
        groups: dict[str, float] = {}
        parallel: dict[str, float] = {}
        for check in self.checks:
            if check.id not in seconds:
                continue
            if not check.runs_alone:
                parallel[check.id] = seconds[check.id]
            elif check.together is None:
                alone_s += seconds[check.id]
            else:
                groups[check.together] = max(groups.get(check.together, 0.0), seconds[check.id])
        sum_s = sum(parallel.values())
        lanes = max(1, min(self.limits.concurrency, self.limits.per_target))
        # Parallel checks take at least their sum over the lanes, and at least their longest chain of needs.
        parallel_s = max(sum_s / lanes, self._longest_chain(parallel), self._workers_s(by_params, parallel))
        return alone_s + sum(groups.values()) + parallel_s, parallel_s / sum_s if sum_s else 0.0

    def _workers_s(self, seconds: Mapping[str, float], among: Mapping[str, float]) -> float:
        """The seconds that workers take at least: each makes some measurements at a time, and all together some."""
        by_worker: dict[str, float] = defaultdict(float)
        for check_id in among.keys() & self.places.keys():
            for address in self.places[check_id]:
                by_worker[address] += seconds[check_id] / self._rounds(check_id)
        return max(sum(by_worker.values()) / AT_ONCE, max(by_worker.values(), default=0.0) / AT_ONCE_EACH)

    def _longest_chain(self, seconds: Mapping[str, float]) -> float:
        """The seconds of the longest chain of checks of which each needs the one before it.

        Walks the needs depth-first with a stack of its own: a chain may be longer than Python allows calls to nest.
        """
        needs = {check.id: [need for need in check.needs if need in seconds] for check in self.checks}
        done_after: dict[str, float] = {}
        for first in seconds:
            path = [first]
            while path:
                pending = [need for need in needs[path[-1]] if need not in done_after]
                if pending:
                    path.extend(pending)
                    continue
                current = path.pop()
                begun = max((done_after[need] for need in needs[current]), default=0.0)
                done_after[current] = begun + seconds[current]
        return max(done_after.values(), default=0.0)


def _tries(check: PlannedCheck) -> int:
    """How many attempts of a check may each take its whole time limit; see `PlannedCheck.longest_s`."""
    return check.retry.attempts if check.until is None else 2


def _format_seconds(seconds: float) -> str:
    """Return a duration for the reader, such as `1.5 s`."""
    return format_ms(seconds * 1000)
