"""How the state of a breaker changed by the readings, and which changes no breaker may make."""

from __future__ import annotations

from dataclasses import dataclass

from xnai_validate.checkers.breaker._driver.calls import Call, Outcome
from xnai_validate.checkers.breaker._driver.readings import Reading
from xnai_validate.checkers.breaker._models import State
from xnai_validate.kit import JsonValue

CHANGES_CAP = 100


@dataclass(frozen=True, slots=True)
class Change:
    """A change of state; it happened after `after_s` and before `before_s`, by the monotonic clock."""

    before: State
    now: State
    after_s: float
    before_s: float
    fault: str | None
    """Why no breaker may make this change here; None if it may."""

    def __str__(self) -> str:
        return f"{self.before}->{self.now}"


@dataclass(slots=True)
class Run:
    """Calls one after the other with one outcome; times are of the monotonic clock, in seconds."""

    outcome: Outcome
    count: int
    since_s: float
    until_s: float


class Timeline:
    """The changes between readings, compared with the calls that were made meanwhile."""

    def __init__(self, successes: int, recovery_s: float, settle_s: float, begun_s: float) -> None:
        """`begun_s`: when the measurement began, by the monotonic clock."""
        self.changes: list[Change] = []
        self.runs: list[Run] = []
        self._begun_s = begun_s
        self._successes, self._recovery_s, self._settle_s = successes, recovery_s, settle_s
        self._last: Reading | None = None
        self._calls: list[Call] = []

    def add_call(self, call: Call) -> None:
        """Add a call that has ended, before the readings that were made during it."""
        self._calls.append(call)
        last = self.runs[-1] if self.runs else None
        if last is not None and last.outcome is call.outcome:
            last.count, last.until_s = last.count + 1, call.answered_s
        elif len(self.runs) < CHANGES_CAP:
            self.runs.append(Run(call.outcome, 1, call.sent_s, call.answered_s))

    def add_reading(self, reading: Reading) -> None:
        """Add the next reading; one without a state is skipped."""
        if reading.state is None:
            return
        last, self._last = self._last, reading
        if last is None or last.state is None:
            return
        # A state may be shown a little later than it changed, so its cause may be a little before the last reading.
        self._calls = [call for call in self._calls if call.answered_s >= last.begun_s - self._settle_s]
        if last.state != reading.state and len(self.changes) < CHANGES_CAP:
            fault = self._fault(last.state, reading.state, reading.read_s - last.begun_s)
            self.changes.append(Change(last.state, reading.state, last.begun_s, reading.read_s, fault))

    def skip_to(self, reading: Reading) -> None:
        """Add a reading of a state that was written by a fault: it is not a change that the breaker made."""
        self._last = reading

    def _fault(self, before: State, now: State, between_s: float) -> str | None:
        """The states and arrows are those of Nygard, Release It! (2007), with the causes that the stack promises."""
        unknown = sum(call.outcome is Outcome.UNANSWERED for call in self._calls)
        failures = sum(call.outcome is Outcome.FAILED for call in self._calls) + unknown
        successes = sum(call.outcome is Outcome.SUCCEEDED for call in self._calls) + unknown
        arrow = f"{before}->{now}"
        match before, now:
            case "open", "half_open":
                return None
            case (("closed" | "half_open"), "open"):
                return None if failures else f"{arrow} without a failure"
            case "half_open", "closed":
                return None if successes else f"{arrow} without a success"
            case "open", "closed":
                return None if successes >= self._successes else arrow
            case _:  # closed to half open, which two readings show where they are further apart than the recovery time
                return None if failures and between_s > self._recovery_s else arrow

    @property
    def arrows(self) -> list[str]:
        """The changes in order: `closed->open`."""
        return [str(change) for change in self.changes]

    @property
    def faults(self) -> list[str]:
        """The changes that no breaker may make, in words."""
        return [change.fault for change in self.changes if change.fault is not None]

    def calls_as_json(self) -> JsonValue:
        """The calls in runs with one outcome, in milliseconds since the beginning."""
        return [
            {
                "outcome": str(run.outcome),
                "count": run.count,
                "from_ms": self._since_begun_ms(run.since_s),
                "to_ms": self._since_begun_ms(run.until_s),
            }
            for run in self.runs
        ]

    def as_json(self) -> JsonValue:
        """The changes with the interval in which each happened, in milliseconds since the beginning."""
        return [
            {
                "change": str(change),
                "after_ms": self._since_begun_ms(change.after_s),
                "before_ms": self._since_begun_ms(change.before_s),
            }
            for change in self.changes
        ]

    def _since_begun_ms(self, at_s: float) -> float:
        """Return the milliseconds from the begin of the measurement to an instant."""
        return round((at_s - self._begun_s) * 1000, 3)
