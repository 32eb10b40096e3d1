"""What every measurement of a breaker is told: the breaker, a call through it, and how its calls are made to fail."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from xnai_validate.checkers._watch import Watch
from xnai_validate.kit import Duration, FaultEntry, Field, Ge, Gt, Le, Observation, Params, model_validator

State = Literal["closed", "open", "half_open"]


def _themselves() -> dict[str, State | list[State]]:
    return {"closed": "closed", "open": "open", "half_open": "half_open"}


class Source(Watch):
    """Another place that tells the breaker's state: a metric, a component of the health report."""

    means: dict[str, State | list[State]] = Field(default_factory=_themselves)
    """What is read there, as text -> the state or states that it stands for: `{"0": closed, "1": open}`."""

    def states(self, read: str) -> tuple[State, ...]:
        """The states that a reading stands for; none where it stands for nothing."""
        meant = self.means.get(read, [])
        return (meant,) if isinstance(meant, str) else tuple(meant)


class Trip(Params):
    """How the breaker is brought to open: by calls that fail, or, where none can be made to, by its state in Redis."""

    request: Observation | None = None
    """A call that makes the dependency fail by what it asks."""
    fault: FaultEntry | None = None
    """What makes the dependency fail while `call` is made; calls that then end by a time-out count as any failure."""
    planted: FaultEntry | None = None
    """What writes an open state into the breaker's key, such as `redis.plant`: how it opens is not measured then."""

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if sum(way is not None for way in (self.request, self.fault, self.planted)) > 1:
            raise ValueError("a breaker is tripped in one way: request, fault or planted")
        return self


class BreakerParams(Params):
    """The breaker, the call that goes through it, what is promised of it, and where its state is told."""

    name: str
    """The breaker's name, which a refusal tells as `details.service_name`."""
    call: Observation
    """A call through the breaker that succeeds while the dependency works; the shorter the better."""
    trip: Trip = Trip()
    """How it is brought to open; without it the breaker cannot be driven, and the check is skipped."""
    failures: Annotated[int, Ge(1), Le(100)]
    """Failures in a row that open it, as promised."""
    recovery: Annotated[Duration, Gt(0)]
    """How long it stays open, as promised."""
    successes: Annotated[int, Ge(1), Le(100)] = 3
    """Successes that close it from half open, as promised."""
    key: str | None = None
    """The key in Redis that holds its state; without it, only what answers tell is known of the state."""
    redis: str = "redis"
    """The target where that key is."""
    sources: dict[str, Source] = Field(default_factory=dict)
    """Name -> another place that tells its state."""
    every: Annotated[Duration, Gt(0)] = 0.1
    """How often an open breaker is called, and its state read: how exactly the end of the recovery time is known."""
    settle: Duration = 0.5
    """How long a change may take until every place tells it."""
    patience: Duration = 5.0
    """How much longer than promised is waited until an open breaker lets a call through."""

    @model_validator(mode="after")
    def _bounded(self) -> Self:
        if (self.recovery + self.patience) / self.every > CALLS_CAP:
            raise ValueError(f"every is too short: more than {CALLS_CAP} calls in the recovery time and the patience")
        return self


class CycleParams(BreakerParams):
    """A breaker, and what it must not take with it."""

    beside: dict[str, Observation] = Field(default_factory=dict)
    """Name -> what must go on working while the breaker is open, such as the health report."""


CALLS_CAP = 20_000
"""Calls of one open phase."""
