"""The plan: a profile resolved, with its checkers in it as values; all that the engine needs to know."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from xnai_validate.kit import Checker, Fault, Params
from xnai_validate.model.json import JsonValue
from xnai_validate.model.judging.rules import Rule
from xnai_validate.model.results.report import CheckInfo, Criterion
from xnai_validate.model.target import Target

NOTHING: Mapping[str, Any] = MappingProxyType({})
"""What most measurements have of observations and disturbances."""


@dataclass(frozen=True, slots=True)
class PlannedFault:
    """A disturbance, ready to be made: the fault with its verified params."""

    fault: Fault
    params: Params
    target: str | None

    @property
    def sentence(self) -> str:
        """What it does to whom."""
        return self.fault.by.says(self.params, self.target or "this host")


@dataclass(frozen=True, slots=True)
class Compiled:
    """A measurement, ready to be made: the checker, its verified params, the rules to judge by."""

    checker: Checker
    params: Params
    rules: tuple[Rule, ...]
    """The kind's own rules first, then those of the check, then the profile's thresholds."""
    target: str | None
    observations: Mapping[str, Compiled] = field(default_factory=lambda: NOTHING)
    """`Observation.key` -> the measurement, for every observation that stands in the params."""
    disturbances: Mapping[str, PlannedFault] = field(default_factory=lambda: NOTHING)
    """`Disturbance.key` -> the fault, for every disturbance that stands in the params."""

    @property
    def faults(self) -> tuple[PlannedFault, ...]:
        """Every fault that this measurement may put in force, those of its observations included."""
        inner = (one for observed in self.observations.values() for one in observed.faults)
        return (*self.disturbances.values(), *inner)


@dataclass(frozen=True, slots=True)
class Retry:
    """How often a check that does not hold is tried; passing at a later attempt is flaky."""

    attempts: int = 1
    delay_s: float = 0.5


ONCE = Retry()
"""No second attempt."""


@dataclass(frozen=True, slots=True)
class Until:
    """A check that becomes true by itself: measured again until it holds; that is a pass, not flaky."""

    within_s: float
    every_s: float = 0.5


@dataclass(frozen=True, slots=True)
class PlannedCheck:
    """One check of a plan."""

    info: CheckInfo
    measurement: Compiled
    needs: tuple[str, ...] = ()
    """Full ids of the checks that must pass first."""
    retry: Retry = ONCE
    until: Until | None = None
    timeout_s: float = 30.0
    exclusive: bool = False
    """Nothing else runs meanwhile."""
    under: tuple[PlannedFault, ...] = ()
    """Faults that are in force while it is measured, put in force in this order."""
    skip: str | None = None
    """Why it is not attempted, where that is known beforehand."""

    @property
    def id(self) -> str:
        """`<category>/<suite>:<id>`."""
        return self.info.id

    @property
    def faults(self) -> tuple[PlannedFault, ...]:
        """Every fault that it may put in force."""
        return (*self.under, *self.measurement.faults)


@dataclass(frozen=True, slots=True)
class Candidate:
    """One place where a target may be, and the vars that hold if it is there (such as the layout)."""

    target: Target
    vars: Mapping[str, JsonValue] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Choice:
    """Which candidate of a target was taken, after how many were tried."""

    index: int
    tried: int
    answered: bool
    """Whether it answered its probe; the first candidate is taken where none does."""


@dataclass(frozen=True, slots=True)
class PlannedTarget:
    """A target with its candidates: the first that answers its probe is taken."""

    name: str
    candidates: tuple[Candidate, ...]
    probe: Compiled | None = None
    """What a candidate must answer to be taken; None where there is but one candidate."""
    choice: Choice | None = None
    """What was found out; None before, and where there was nothing to choose."""

    @property
    def target(self) -> Target:
        """The target as it is used: the chosen candidate, or the only one."""
        return self.candidates[self.choice.index if self.choice else 0].target


@dataclass(frozen=True, slots=True)
class HostMemory:
    """Percent of the host's memory in use at which no new load begins, and at which the run ends."""

    warn: float = 94.0
    stop: float = 98.0


@dataclass(frozen=True, slots=True)
class Limits:
    """What a run may take."""

    concurrency: int = 16
    per_target: int = 8
    deadline_s: float = 300.0
    host_memory_percent: HostMemory = HostMemory()
    own_memory_mib: float = 512.0


@dataclass(frozen=True, slots=True)
class Plan:
    """A resolved profile."""

    title: str
    profiles: tuple[str, ...]
    checks: tuple[PlannedCheck, ...]
    """In the order of the profile; needs may point anywhere, cycles are refused when it is compiled."""
    targets: Mapping[str, PlannedTarget]
    criteria: tuple[Criterion, ...] = ()
    limits: Limits = Limits()
    vars: Mapping[str, JsonValue] = field(default_factory=dict)
    notices: tuple[str, ...] = ()
    """What the user should know of how the profile was put together: shadowed names, nothing selected by a glob ..."""
    secrets: frozenset[str] = frozenset()
    """Texts that must appear in no event."""
