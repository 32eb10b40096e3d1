"""The plan: a profile resolved, with its checkers as values. It holds everything that the engine needs to know."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from xnai_validate.kit import Checker, Fault, JsonValue, Params, Preload, Target, Waits
from xnai_validate.model.json import to_json
from xnai_validate.model.judging.rules import Rule
from xnai_validate.model.results.report import CheckInfo, Criterion, Shard
from xnai_validate.model.target import Choice

SHORTEST_LIMIT_S = 30.0
"""The time limit of a check whose waits are short or not known."""
SPARE_S = 30.0
"""What is added to the waits of a check for its time limit: requests on a busy machine."""
FAULT_S = 0.3
"""How long it usually takes to inject and revert a fault, and to prove it."""
RESTART_SHARE = 0.05
"""The share of the time that a restart may take which it usually takes."""
QUICK_S = 0.1
"""A check that usually takes less is not part of what makes a run long."""
NO_WAITS = Waits()
"""The waits of most measurements: not known."""
NOTHING: Mapping[str, Any] = MappingProxyType({})
"""The observations and faults of most measurements: none."""


@dataclass(frozen=True, slots=True)
class PlannedFault:
    """A fault with its verified params, ready to be injected."""

    fault: Fault
    params: Params
    target: str | None

    @property
    def description(self) -> str:
        """One sentence: what the fault does to which target."""
        return self.fault.methods.describe(self.params, self.target or "this host")

    @property
    def definition(self) -> tuple[str, str | None, str]:
        """What the fault does, as values that can be compared."""
        return self.fault.name, self.target, self.params.model_dump_json(warnings=False)


@dataclass(frozen=True, slots=True)
class CompiledMeasurement:
    """A checker with its verified params and the rules that judge its facts."""

    checker: Checker
    params: Params
    rules: tuple[Rule, ...]
    """The kind's own rules, then those of the check, then the profile's thresholds."""
    target: str | None
    observations: Mapping[str, CompiledMeasurement] = field(default_factory=lambda: NOTHING)
    """`Observation.key` -> measurement, for every observation in the params."""
    fault_entries: Mapping[str, PlannedFault] = field(default_factory=lambda: NOTHING)
    """`FaultEntry.key` -> fault, for every fault in the params."""
    waits: Waits = field(init=False, compare=False)
    """How long it takes by its params. Without a `timeout` it is not limited."""
    faults: tuple[PlannedFault, ...] = field(init=False, compare=False)
    """Every fault that this measurement may inject, including those of its observations."""

    def __post_init__(self) -> None:
        inner = (fault for observed in self.observations.values() for fault in observed.faults)
        object.__setattr__(self, "faults", (*self.fault_entries.values(), *inner))
        object.__setattr__(self, "waits", self._waits())

    def _waits(self) -> Waits:
        """The waits; none for a check that is skipped on this stack, since its params may lack values."""
        params = self.params
        if not type(params).model_fields.keys() <= params.__dict__.keys():
            return NO_WAITS
        if self.checker.waits is not None:
            return self.checker.waits(params, lambda observation: self.observations[observation.key].waits)
        limit_s = getattr(params, "timeout", None)
        limited = isinstance(limit_s, float) and "timeout" in params.model_fields_set
        return Waits(longest_s=limit_s) if limited else NO_WAITS

    @property
    def time_limit_s(self) -> float:
        """The time limit where a check sets none: what its own waits and the revert of its faults take, and more."""
        longest_s = (self.waits.longest_s or 0.0) + sum(planned.fault.grace_s for planned in self.faults)
        return SHORTEST_LIMIT_S if not longest_s else max(SHORTEST_LIMIT_S, math.ceil(longest_s + SPARE_S))

    @property
    def is_composed(self) -> bool:
        """Whether it takes many steps, each with a time limit: it makes other measurements, or loads or disturbs."""
        return self.checker.exclusive or bool(self.observations) or bool(self.fault_entries)

    @property
    def preloads(self) -> Iterator[tuple[Preload, str | None]]:
        """The modules to preload for this measurement and its observations, each with the name of its target."""
        yield self.checker.preload, self.target
        for inner in self.observations.values():
            yield from inner.preloads

    @property
    def runs_alone(self) -> bool:
        """Whether no other check may run meanwhile, because of its kind, its faults or its observations."""
        return (
            self.checker.exclusive
            or bool(self.fault_entries)
            or any(inner.runs_alone for inner in self.observations.values())
        )


@dataclass(frozen=True, slots=True)
class Retry:
    """How often a failing check is attempted; a pass at a later attempt is flaky."""

    attempts: int = 1
    delay_s: float = 0.5


ONCE = Retry()
"""No second attempt."""


@dataclass(frozen=True, slots=True)
class Until:
    """Measure a check again until its rules hold; a pass at a later attempt is a pass, not flaky."""

    within_s: float
    every_s: float = 0.5


@dataclass(frozen=True, slots=True)
class PlannedCheck:
    """One check of a plan."""

    info: CheckInfo
    measurement: CompiledMeasurement
    needs: tuple[str, ...] = ()
    """Full ids of the checks that must pass first."""
    after: tuple[str, ...] = ()
    """Full ids of checks that end first, whatever comes of them; those that the plan does not have are ignored."""
    retry: Retry = ONCE
    until: Until | None = None
    timeout_s: float = 30.0
    exclusive: bool = False
    """Whether no other check runs at the same time."""
    together: str | None = None
    """The group of a check that runs alone: its checks run at the same time as each other."""
    under: tuple[PlannedFault, ...] = ()
    """Faults that are active while the check is measured, injected in this order."""
    skip: str | None = None
    """Why the check is skipped, where that is known before the run."""
    vantage: tuple[str, ...] = ()
    """Where it is measured: names or resources of workers, `workers`, `local`; empty: by this process, as always."""

    @property
    def id(self) -> str:
        """`<category>/<suite>:<id>`."""
        return self.info.id

    @property
    def faults(self) -> tuple[PlannedFault, ...]:
        """Every fault that the check may inject."""
        return (*self.under, *self.measurement.faults)

    @property
    def usual_s(self) -> float:
        """How long it usually takes on a stack that is well, by its own params."""
        within_s = sum(float(getattr(planned.params, "within", 0.0)) for planned in self.faults)
        return self.measurement.waits.usual_s + FAULT_S * len(self.faults) + RESTART_SHARE * within_s

    @property
    def longest_s(self) -> float:
        """How long it takes at the longest, with all its attempts and its faults."""
        if self.until is not None:
            # One attempt is under way when the time is over, and the one that is judged begins after it.
            measured_s = self.until.within_s + 2 * self.timeout_s
        else:
            measured_s = self.retry.attempts * (self.timeout_s + self.retry.delay_s)
        return measured_s + sum(planned.fault.grace_s for planned in self.faults)

    @property
    def definition(self) -> str:
        """Everything that the result of the check depends on, as one text; secrets of its params stand in it."""
        measurement, waiver = self.measurement, self.info.waiver
        parts = (
            self.id,
            measurement.checker.kind,
            measurement.target,
            measurement.params.model_dump_json(warnings=False),
            measurement.rules,
            self.needs,
            self.after,
            self.retry,
            self.until,
            self.timeout_s,
            [planned.definition for planned in self.under],
            None if waiver is None else (waiver.until, waiver.expired),
            *self.vantage,
        )
        return to_json(parts).decode()

    @property
    def runs_alone(self) -> bool:
        """Whether no other check may run meanwhile: it is exclusive, disruptive or injects a fault."""
        return self.exclusive or self.info.disruptive or bool(self.under) or self.measurement.runs_alone


@dataclass(frozen=True, slots=True)
class Candidate:
    """A place where a target may be, and the vars that hold if it is there (such as the layout)."""

    target: Target
    vars: Mapping[str, JsonValue] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PlannedLogin:
    """How a run logs in to a target, once, and logs out at its end."""

    login: CompiledMeasurement
    """A flow that captures what proves who we are."""
    logout: CompiledMeasurement | None
    """A flow that ends the session; its params take the captured values as `values`."""
    headers: Mapping[str, JsonValue]
    """Headers of every request to the target; `{{name}}` stands for a captured value."""
    cookies: Mapping[str, JsonValue]
    """Cookies of every request, likewise."""


@dataclass(frozen=True, slots=True)
class PlannedTarget:
    """A target with its candidates: the first that answers its probe is chosen."""

    name: str
    candidates: tuple[Candidate, ...]
    probe: CompiledMeasurement | None = None
    """What a candidate must answer to be chosen; None for a single candidate."""
    choice: Choice | None = None
    """None before the candidates are probed, and for a single candidate."""
    login: PlannedLogin | None = None
    """None if requests need no login."""
    container_state: CompiledMeasurement | None = None
    """Asks about the container of a target that is waited for; None where none is known, or nothing is waited for."""

    @property
    def target(self) -> Target:
        """The chosen candidate, or the only one."""
        return self.candidates[self.choice.index if self.choice else 0].target


@dataclass(frozen=True, slots=True)
class HostMemory:
    """Percent of the memory of the host, and of the tool's control group that has a limit.

    At `warn` no new load begins, at `stop` the run ends.
    """

    warn: float = 94.0
    stop: float = 98.0


@dataclass(frozen=True, slots=True)
class Limits:
    """The resources that a run may use."""

    concurrency: int = 16
    per_target: int = 8
    deadline_s: float = 300.0
    deadline_is_given: bool = True
    """Whether a profile or the command line sets it; else it follows from the expected duration of the checks."""
    host_memory_percent: HostMemory = HostMemory()
    own_memory_mib: float = 512.0


@dataclass(frozen=True, slots=True)
class Steady:
    """What must be as before after each fault, before the next one begins."""

    observations: Mapping[str, CompiledMeasurement]
    """Name -> what is looked at; what does not hold before the first fault is not waited for."""
    calls: tuple[CompiledMeasurement, ...] = ()
    """What is asked while it is waited for: an open breaker closes only by calls."""
    within_s: float = 60.0
    """How long the stack may take."""


@dataclass(frozen=True, slots=True)
class ExpectedTime:
    """The expected duration of a run, in seconds; all 0 if it was not computed."""

    usual_s: float = 0.0
    """On a stack that is well."""
    longest_s: float = 0.0
    """If every check takes its time limit."""
    by_check: Mapping[str, float] = field(default_factory=lambda: NOTHING)
    """Full id -> its share of `usual_s`."""
    by_params: Mapping[str, float] = field(default_factory=lambda: NOTHING)
    """Full id -> the usual duration of a check by its own params alone, where that is QUICK_S or more."""

    @property
    def deadline_s(self) -> float:
        """The deadline of a run whose profile sets none, in whole minutes.

        On a stack that is not well experiments wait until their times are over, so it is three times the expected
        duration and ten minutes more, or what all time limits come to, if that is less.
        """
        return 60.0 * math.ceil(min(self.longest_s + 60, 3 * self.usual_s + 600) / 60)


@dataclass(frozen=True, slots=True)
class Plan:
    """A resolved profile."""

    title: str
    profiles: tuple[str, ...]
    checks: tuple[PlannedCheck, ...]
    """In the order of the profile; a check may need a later one, circles are refused when a profile is compiled."""
    targets: Mapping[str, PlannedTarget]
    criteria: tuple[Criterion, ...] = ()
    limits: Limits = Limits()
    expected: ExpectedTime = ExpectedTime()
    steady: Steady | None = None
    """None if the stack is not looked at around faults."""
    vars: Mapping[str, JsonValue] = field(default_factory=dict)
    narrowed: bool = False
    """Whether only a part of the profiles was selected on the command line."""
    notices: tuple[str, ...] = ()
    """What the user should know about how the profile was compiled: shadowed names, globs without a match ..."""
    warnings: tuple[str, ...] = ()
    """What makes results less certain, such as a certificate that is not verified; every report shows it."""
    secrets: frozenset[str] = frozenset()
    """Texts that must not appear in any event."""
    shard: Shard | None = None
    """Which part of a larger plan this is; None for a whole plan."""
    unset: tuple[str, ...] = ()
    """The environment variables that a run needs and that are not set; empty for a plan that is run."""

    def preload_modules(self) -> tuple[str, ...]:
        """The names of the modules that the checks of the plan preload, skipped checks excepted."""
        targets = {name: planned.target for name, planned in self.targets.items()}
        modules: set[str] = set()
        for check in self.checks:
            if check.skip is None:
                faults = ((planned.fault.preload, planned.target) for planned in check.faults)
                for preload, target in (*check.measurement.preloads, *faults):
                    modules |= set(preload if isinstance(preload, tuple) else preload(targets.get(target or "")))
        return tuple(sorted(modules))
