"""Parameters of every check of a breaker: the breaker, a call through it, and how its calls are made to fail."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from xnai_validate.checkers._watch import Watch
from xnai_validate.kit import (
    STEADY_WITHIN_S,
    Duration,
    Facts,
    FaultEntry,
    Field,
    Ge,
    Gt,
    JsonValue,
    Le,
    Observation,
    Params,
    model_validator,
)

State = Literal["closed", "open", "half_open"]


def _same_names() -> dict[str, State | list[State]]:
    """Return the names of the states as the breaker itself uses them."""
    return {"closed": "closed", "open": "open", "half_open": "half_open"}


class Source(Watch):
    """Another place that shows the breaker's state: a metric, a component of the health report."""

    means: dict[str, State | list[State]] = Field(default_factory=_same_names)
    """The value there, as text -> the state or states that it means: `{"0": closed, "1": open}`."""

    numbers: dict[State, float] | None = None
    """State -> the number that a gauge shows for it, instead of `means`: `{closed: 0, open: 1, half_open: 2}`."""

    summary: bool = False
    """Whether this place sums up several breakers: it may show an open one while `another_open` holds."""

    def states(self, value: str) -> tuple[State, ...]:
        """The states that a value means; empty for an unknown value."""
        if self.numbers is not None:
            return tuple(state for state, number in self.numbers.items() if value == f"{number:g}")
        states = self.means.get(value, [])
        return (states,) if isinstance(states, str) else tuple(states)


class Trip(Params):
    """How the breaker is opened: by calls that fail, or, if no call can be made to fail, by its state in Redis."""

    request: Observation | None = None
    """A call that makes the dependency fail."""
    fault: FaultEntry | None = None
    """The fault that makes the dependency fail while `call` is made; a time-out counts as a failure then."""
    planted: FaultEntry | None = None
    """The fault that writes an open state into the key, such as `redis.plant`, where neither request nor fault is given
    or their target is configured: its opening is not measured then."""

    @model_validator(mode="after")
    def _verify_single_way(self) -> Self:
        """Raise ValueError if both a request and a fault would make calls fail."""
        if self.request is not None and self.fault is not None:
            raise ValueError("set one of request and fault")
        return self

    @property
    def planted_alone(self) -> FaultEntry | None:
        """The fault that plants an open state; None if calls can be made to fail."""
        return self.planted if self.request is None and self.fault is None else None


class BreakerParams(Params):
    """The breaker, a call through it, what is promised of it, and where its state is shown."""

    name: str
    """The breaker's name, which a refusal has as `details.service_name`."""
    call: Observation
    """A call through the breaker that succeeds while the dependency works; the shorter the better."""
    trip: Trip = Trip()
    """How it is opened; without it the check is skipped."""
    failures: Annotated[int, Ge(1), Le(100)]
    """Failures in a row that open it, as promised."""
    recovery: Annotated[Duration, Gt(0)]
    """How long it stays open, as promised."""
    successes: Annotated[int, Ge(1), Le(100)] = 3
    """Successes that close it from half open, as promised."""
    key: str | None = None
    """The key in Redis that holds its state; without it, the state is known by answers alone."""
    redis: str = "redis"
    """The target where that key is."""
    sources: dict[str, Source] = Field(default_factory=dict)
    """Name -> another place that shows its state."""
    another_open: Observation | None = None
    """An observation that holds while another breaker is open, where a source sums up several of them."""
    every: Annotated[Duration, Gt(0)] = 0.1
    """How often an open breaker is called and its state read; it limits the precision of the recovery time."""
    settle: Duration = 0.5
    """How long a change may take until every place shows it."""
    steady_within: Duration = STEADY_WITHIN_S
    """How long calls that fail before anything is disturbed are waited for."""
    patience: Duration = 5.0
    """How much longer than promised the check waits until an open breaker lets a call through."""

    @model_validator(mode="after")
    def _verify_number_of_calls(self) -> Self:
        """Raise ValueError if the interval between calls would make too many of them."""
        if (self.recovery + self.patience) / self.every > CALLS_CAP:
            raise ValueError(f"every is too short: more than {CALLS_CAP} calls in the recovery time and the patience")
        return self


class CourseFacts(Facts):
    """The course of a breaker: what the key in Redis showed, and what became of the calls."""

    timeline: JsonValue
    """The changes of state that the key in Redis showed, each with the interval in which it happened, in milliseconds
    since the beginning."""
    calls: JsonValue
    """The calls in runs with one outcome, each with its number and its time in milliseconds since the beginning."""


class CycleParams(BreakerParams):
    """A breaker, and what must go on working while it is open."""

    beside: dict[str, Observation] = Field(default_factory=dict)
    """Name -> an observation that must hold while the breaker is open, such as the health report."""


CALLS_CAP = 20_000
"""Calls of one open phase."""
