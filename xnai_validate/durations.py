"""How long a run takes, and times of checks that do not fit together."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from xnai_validate.model.units import format_ms
from xnai_validate.plan import NOTHING, ExpectedTime, Limits, PlannedCheck

SHARED_S = 0.01
"""The time of a check that is given the measurement of an equal one."""


def misfits(check: PlannedCheck) -> Iterator[str]:
    """The times of a check that do not fit together, in sentences."""
    waits = check.measurement.waits
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
    expected_s = Forecast(checks, limits).expected().usual_s
    within = f"the deadline is {_text(limits.deadline_s)}; leave it out, and it follows from the checks"
    if expected_s > limits.deadline_s:
        yield f"the checks take about {_text(expected_s)}, and {within}"
    for check in checks:
        if check.skip is None and check.timeout_s > limits.deadline_s:
            yield f"the time limit of {check.id} is {_text(check.timeout_s)}, and {within}"


@dataclass(frozen=True, slots=True)
class Forecast:
    """Adds up the times of checks: those that run alone, the longest of each group, and the others side by side."""

    checks: Sequence[PlannedCheck]
    limits: Limits
    known_s: Mapping[str, float] = field(default_factory=lambda: NOTHING)
    """Full id -> how long the check took in an earlier run."""

    def expected(self) -> ExpectedTime:
        """The expected duration of the run."""
        by_params, longest = self._times()
        usual = {check_id: self.known_s.get(check_id, seconds) for check_id, seconds in by_params.items()}
        usual_s, beside = self._total(usual)
        by_check = {
            check.id: usual[check.id] * (1.0 if check.runs_alone else beside)
            for check in self.checks
            if check.id in usual
        }
        return ExpectedTime(usual_s, self._total(longest)[0], by_check, by_params)

    def _times(self) -> tuple[dict[str, float], dict[str, float]]:
        """Full id -> its usual seconds, and its longest ones, of each check that is not skipped."""
        usual: dict[str, float] = {}
        longest: dict[str, float] = {}
        measured: set[tuple[str, str, str | None]] = set()
        for check in self.checks:
            if check.skip is not None:
                continue
            usual[check.id], longest[check.id] = check.usual_s, check.longest_s
            shared = check.measurement.waits.shared
            if shared is not None and not check.under:
                key = (shared, check.measurement.params.model_dump_json(), check.measurement.target)
                if key in measured:
                    usual[check.id] = longest[check.id] = SHARED_S
                measured.add(key)
        return usual, longest

    def _total(self, seconds: Mapping[str, float]) -> tuple[float, float]:
        """The duration of the checks, and how much of it a second of a check costs that runs beside others."""
        alone_s = 0.0
        groups: dict[str, float] = {}
        beside: dict[str, float] = {}
        for check in self.checks:
            if check.id not in seconds:
                continue
            if not check.runs_alone:
                beside[check.id] = seconds[check.id]
            elif check.together is None:
                alone_s += seconds[check.id]
            else:
                groups[check.together] = max(groups.get(check.together, 0.0), seconds[check.id])
        sum_s = sum(beside.values())
        lanes = max(1, min(self.limits.concurrency, self.limits.per_target))
        beside_s = max(sum_s / lanes, self._longest_chain(beside))
        return alone_s + sum(groups.values()) + beside_s, beside_s / sum_s if sum_s else 0.0

    def _longest_chain(self, seconds: Mapping[str, float]) -> float:
        """The seconds of the longest chain of checks that need one another."""
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


def _text(seconds: float) -> str:
    return format_ms(seconds * 1000)
