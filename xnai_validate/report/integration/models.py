"""The integration report as one value; its JSON form has these names, and its schema is made from them."""

from __future__ import annotations

from dataclasses import field
from typing import Literal

from pydantic.dataclasses import dataclass

from xnai_validate.model.frozen_model import FROZEN
from xnai_validate.model.json import JsonObject
from xnai_validate.model.results.comparison import Comparison
from xnai_validate.model.results.report import CriterionResult, FaultResult, Summary
from xnai_validate.model.results.severity import Severity
from xnai_validate.model.results.status import Status

Level = Literal["ready", "ready with conditions", "not ready"]
State = Literal["covered", "failed", "partly covered", "not covered"]
FORMAT: Literal["xnai-validate/integration/1"] = "xnai-validate/integration/1"


@dataclass(frozen=True, slots=True, kw_only=True, config=FROZEN)
class Scope:
    """What a plan asks an integration report to have."""

    phases: tuple[str, ...] = ()
    """The profiles that must have run."""
    gaps: dict[str, str] = field(default_factory=dict)
    """Id of a knowledge gap -> its title."""
    missing: tuple[str, ...] = ()
    """The phases without a run that can be used, each with the reason."""


@dataclass(frozen=True, slots=True, kw_only=True, config=FROZEN)
class RunEntry:
    """A run that the report is compiled from."""

    id: str
    title: str
    profiles: tuple[str, ...]
    started_at: str
    elapsed_ms: float
    verdict: str
    exit_code: int
    stopped: str | None
    summary: dict[str, int]


@dataclass(frozen=True, slots=True, kw_only=True, config=FROZEN)
class Criterion:
    """A success criterion of a run."""

    run: str
    profiles: str
    result: CriterionResult


@dataclass(frozen=True, slots=True, kw_only=True, config=FROZEN)
class Coverage:
    """A category, or a knowledge gap, and what its checks found."""

    id: str
    title: str
    checks: int
    passed: int
    failed: int
    not_judged: int
    """Skipped, waived or not measured."""
    not_applicable: int = 0
    """Those of them that were skipped because they are not meant for this stack, such as for another layout."""
    state: State
    """By the checks that apply; `not covered` without a passed one."""


@dataclass(frozen=True, slots=True, kw_only=True, config=FROZEN)
class RootCause:
    """A root cause with its evidence, what it affects, and what to do."""

    severity: Severity
    """The gravest of the checks that failed because of it."""
    id: str
    title: str
    status: Status
    target: str | None
    reason: str | None
    promise: str | None
    evidence: tuple[str, ...]
    impact: str
    recommendation: str
    alike: tuple[str, ...]
    blocks: tuple[str, ...]
    run: str
    """The id of the run that found it."""


@dataclass(frozen=True, slots=True, kw_only=True, config=FROZEN)
class LoadFigures:
    """The figures of a check that measured under load."""

    check: str
    title: str
    sent: int
    """Requests that were sent, or streams that were opened."""
    rate_rps: float | None
    """Answers in a second."""
    p50_ms: float | None
    """The median latency, from the intended start of each request."""
    p95_ms: float | None
    p99_ms: float | None
    error_ratio: float | None
    run: str
    """The id of the run that measured it."""


@dataclass(frozen=True, slots=True, kw_only=True, config=FROZEN)
class Skipped:
    """Checks that were skipped for one reason."""

    reason: str
    checks: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True, config=FROZEN)
class KnownFailure:
    """A failure that a waiver accepts, or accepted until it expired."""

    check: str
    status: Status
    waiver: str


@dataclass(frozen=True, slots=True, kw_only=True, config=FROZEN)
class Readiness:
    """Whether the stack is ready for the next phase, by the rules that are listed with it."""

    level: Level
    obstacles: tuple[str, ...]
    """Why it is not ready."""
    conditions: tuple[str, ...]
    """What must be kept in mind, or done soon, where it is."""
    rules: tuple[str, ...]
    met: tuple[int, ...] = ()
    """For each rule, how many obstacles or conditions it found."""


@dataclass(frozen=True, slots=True, kw_only=True, config=FROZEN)
class RunEnvironment:
    """Where a run took place."""

    run: str
    host: JsonObject
    targets: dict[str, str | None]


@dataclass(frozen=True, slots=True, kw_only=True, config=FROZEN)
class IntegrationReport:
    """Several runs of one stack as one document."""

    format: Literal["xnai-validate/integration/1"] = FORMAT
    tool: str
    """`xnai-validate` and its version."""
    exit_code: int
    readiness: Readiness
    runs: tuple[RunEntry, ...]
    missing: tuple[str, ...]
    summary: Summary
    """The status of every check, each counted once: that of the last run that measured it."""
    criteria: tuple[Criterion, ...]
    categories: tuple[Coverage, ...]
    gaps: tuple[Coverage, ...]
    causes: tuple[RootCause, ...]
    loads: tuple[LoadFigures, ...] = ()
    comparisons: tuple[Comparison, ...]
    faults: tuple[FaultResult, ...]
    skipped: tuple[Skipped, ...]
    known_failures: tuple[KnownFailure, ...]
    environments: tuple[RunEnvironment, ...]
