"""The state of a circuit breaker and how it changes: values and transitions without I/O."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from xnai_validate.demo.seams import seam

_TRANSITIONS_KEPT = 10


class State(StrEnum):
    """The states of a circuit breaker (Nygard, Release It!, 2007)."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


class Transition(BaseModel):
    """One change of state; `timestamp` in seconds since the epoch."""

    model_config = ConfigDict(frozen=True)

    from_state: State
    to_state: State
    timestamp: float
    failure_count: int = 0
    reason: str = ""


class Snapshot(BaseModel):
    """A breaker at one moment, in the layout of the key `circuit_breaker:{name}`; times in seconds since the epoch.

    `failure_count` counts failures in a row, `success_count` successes in a row within the present state.
    """

    model_config = ConfigDict(frozen=True)

    state: State = State.CLOSED
    failure_count: int = Field(default=0, ge=0)
    last_failure_time: float | None = None
    success_count: int = Field(default=0, ge=0)
    last_success_time: float | None = None
    total_calls: int = Field(default=0, ge=0)
    total_failures: int = Field(default=0, ge=0)
    total_successes: int = Field(default=0, ge=0)
    transitions: tuple[Transition, ...] = ()


@dataclass(frozen=True, slots=True)
class Rule:
    """When a breaker opens, for how long, and how many trials close it."""

    name: str
    failures: int
    """Failures in a row that open it."""
    recovery_s: float
    """Seconds that it stays open before a trial is let through."""
    successes: int = 3
    """Trials in a row that close it."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an admitted call ended; a `trial` is one that was admitted while the breaker was half open."""

    failed: bool
    trial: bool
    at: float


@dataclass(frozen=True, slots=True)
class Trial:
    """A call that wants to pass an open breaker whose recovery time is over."""

    at: float


Event = Outcome | Trial


def parse(text: str | bytes | None) -> Snapshot | None:
    """A snapshot from the content of the key; None if the key is missing or its content is not a snapshot."""
    if text is None:
        return None
    try:
        return Snapshot.model_validate_json(text)
    except ValidationError:
        return None


def remaining_s(snapshot: Snapshot, rule: Rule, now: float) -> float:
    """Seconds until an open breaker lets a trial through.

    At most the recovery time, even if clocks differ.
    """
    return min(rule.recovery_s, (snapshot.last_failure_time or 0.0) + rule.recovery_s - now)


def after(snapshot: Snapshot, event: Event, rule: Rule) -> Snapshot:
    """The breaker after an event."""
    if isinstance(event, Trial):
        due = snapshot.state is State.OPEN and remaining_s(snapshot, rule, event.at) <= 0
        return move(snapshot, state_after_recovery_time(), event.at, "recovery time is over") if due else snapshot
    counted = with_totals(snapshot, event)
    match snapshot.state:
        case State.CLOSED:
            return while_closed(counted, event, rule)
        case State.HALF_OPEN if event.trial:
            return _after_trial(counted, event, rule)
        case _:
            # A call from before the breaker opened ends late: it counts, but decides nothing any more.
            return counted


@seam
def state_after_recovery_time() -> State:
    """The state of an open breaker whose recovery time is over, once a call comes."""
    return State.HALF_OPEN


@seam
def with_totals(snapshot: Snapshot, event: Outcome) -> Snapshot:
    """The breaker with one more call in its totals."""
    return snapshot.model_copy(
        update={
            "total_calls": snapshot.total_calls + 1,
            "total_failures": snapshot.total_failures + event.failed,
            "total_successes": snapshot.total_successes + (not event.failed),
        }
    )


@seam
def while_closed(snapshot: Snapshot, event: Outcome, rule: Rule) -> Snapshot:
    """A closed breaker after a call: a success resets the count of failures, enough failures open it."""
    if not event.failed:
        return _count_success(snapshot, event, failure_count=0)
    failed = _count_failure(snapshot, event)
    if failed.failure_count < rule.failures:
        return failed
    return move(failed, State.OPEN, event.at, f"{failed.failure_count} failures in a row")


def _after_trial(snapshot: Snapshot, event: Outcome, rule: Rule) -> Snapshot:
    """Return the state after a trial call while half open."""
    if event.failed:
        return after_failed_trial(_count_failure(snapshot, event), event.at)
    succeeded = _count_success(snapshot, event, failure_count=snapshot.failure_count)
    if succeeded.success_count < rule.successes:
        return succeeded
    closed = move(succeeded, State.CLOSED, event.at, f"{rule.successes} trials succeeded")
    return closed.model_copy(update={"failure_count": 0})


@seam
def after_failed_trial(snapshot: Snapshot, at: float) -> Snapshot:
    """A half-open breaker one of whose trials has failed: it opens again."""
    return move(snapshot, State.OPEN, at, "a trial failed")


def _count_success(snapshot: Snapshot, event: Outcome, failure_count: int) -> Snapshot:
    """Return the state with one success more."""
    return snapshot.model_copy(
        update={
            "failure_count": failure_count,
            "success_count": snapshot.success_count + 1,
            "last_success_time": event.at,
        }
    )


def _count_failure(snapshot: Snapshot, event: Outcome) -> Snapshot:
    """Return the state with one failure more."""
    return snapshot.model_copy(
        update={"failure_count": snapshot.failure_count + 1, "success_count": 0, "last_failure_time": event.at}
    )


def move(snapshot: Snapshot, to: State, at: float, reason: str) -> Snapshot:
    """The breaker in another state, with the change written down."""
    change = Transition(
        from_state=snapshot.state, to_state=to, timestamp=at, failure_count=snapshot.failure_count, reason=reason
    )
    kept = (*snapshot.transitions, change)[-_TRANSITIONS_KEPT:]
    return snapshot.model_copy(update={"state": to, "success_count": 0, "transitions": kept})
