"""Events: what happened in a run, numbered; everything a person or a machine sees is made from them."""

from __future__ import annotations

from functools import cache
from typing import Annotated, Literal

from pydantic import Field, TypeAdapter
from pydantic.dataclasses import dataclass

from xnai_validate.model.frozen_model import FROZEN
from xnai_validate.model.json import JsonObject
from xnai_validate.model.judging.findings import Finding
from xnai_validate.model.results.comparison import Comparison
from xnai_validate.model.results.exchange import Exchange
from xnai_validate.model.results.plan_identity import PlanIdentity
from xnai_validate.model.results.report import CheckInfo, Criterion, RunInfo
from xnai_validate.model.results.status import Status
from xnai_validate.model.results.vantage import VantageResult

Stopped = Literal["interrupted", "deadline", "memory", "fail-fast", "killed", "not-undone"]
"""Why a run ended before its plan did."""


@dataclass(frozen=True, slots=True, kw_only=True, config=FROZEN)
class _Event:
    """What every event has: `seq` counts 1, 2, 3 ... without gaps, `at` is the time in seconds since the epoch."""

    seq: int
    at: float


@dataclass(frozen=True, slots=True, kw_only=True, config=FROZEN)
class RunStarted(_Event):
    """A run begins; carries everything of the plan that a report needs, so that the journal is enough to build one."""

    run: RunInfo
    checks: tuple[CheckInfo, ...]
    criteria: tuple[Criterion, ...]
    expected_s: dict[str, float] = Field(default_factory=dict)
    """Full id -> the share of a check in the expected duration of the run."""
    usual_s: dict[str, float] = Field(default_factory=dict)
    """Full id -> the usual duration of a check by its own params, where it is 0.1 s or more. Where that is the same in
    a later run, that run is expected to take as long as this one."""
    plan: PlanIdentity | None = None
    """What a run that resumes this one must have planned alike."""
    event: Literal["run-started"] = "run-started"


@dataclass(frozen=True, slots=True, kw_only=True, config=FROZEN)
class TargetResolved(_Event):
    """A target's url is known: which of its candidates answered."""

    target: str
    url: str | None
    tried: int
    answered: bool
    event: Literal["target-resolved"] = "target-resolved"


@dataclass(frozen=True, slots=True, kw_only=True, config=FROZEN)
class CheckStarted(_Event):
    """A check is being measured."""

    id: str
    event: Literal["check-started"] = "check-started"


@dataclass(frozen=True, slots=True, kw_only=True, config=FROZEN)
class AttemptFinished(_Event):
    """One attempt of a check was measured and judged, or could not be."""

    id: str
    attempt: int
    held: bool
    reason: str | None
    elapsed_ms: float
    event: Literal["attempt-finished"] = "attempt-finished"


@dataclass(frozen=True, slots=True, kw_only=True, config=FROZEN)
class FaultInjected(_Event):
    """A fault is being injected; its undo record is on disk."""

    fault: str
    target: str | None
    undo: str
    """The name of its undo record."""
    check: str | None = None
    event: Literal["fault-injected"] = "fault-injected"


@dataclass(frozen=True, slots=True, kw_only=True, config=FROZEN)
class FaultReverted(_Event):
    """A fault was reverted; `proven`: whether its fingerprint equals the one before the injection."""

    undo: str
    proven: bool
    event: Literal["fault-reverted"] = "fault-reverted"


@dataclass(frozen=True, slots=True, kw_only=True, config=FROZEN)
class CheckFinished(_Event):
    """A check has its status."""

    id: str
    status: Status
    reason: str | None = None
    blocked_by: str | None = None
    findings: tuple[Finding, ...] = ()
    facts: JsonObject = Field(default_factory=dict)
    attempts: int = 0
    elapsed_ms: float = 0.0
    exchanges: tuple[Exchange, ...] = ()
    vantage: tuple[VantageResult, ...] = ()
    """The result from each vantage point; empty for a check that this process alone has measured."""
    event: Literal["check-finished"] = "check-finished"


@dataclass(frozen=True, slots=True, kw_only=True, config=FROZEN)
class BaselineCompared(_Event):
    """The run is compared with a baseline."""

    comparison: Comparison
    event: Literal["baseline-compared"] = "baseline-compared"


@dataclass(frozen=True, slots=True, kw_only=True, config=FROZEN)
class Notice(_Event):
    """Something the user should know besides the checks."""

    level: Literal["info", "warning", "error"]
    text: str
    event: Literal["notice"] = "notice"


@dataclass(frozen=True, slots=True, kw_only=True, config=FROZEN)
class RunFinished(_Event):
    """The run has ended; every fault that could be reverted is reverted."""

    elapsed_ms: float
    stopped: Stopped | None = None
    not_undone: tuple[str, ...] = ()
    """Undo records of faults that may still be active."""
    event: Literal["run-finished"] = "run-finished"


Event = (
    RunStarted
    | TargetResolved
    | CheckStarted
    | AttemptFinished
    | FaultInjected
    | FaultReverted
    | CheckFinished
    | BaselineCompared
    | Notice
    | RunFinished
)


@dataclass(frozen=True, slots=True, config=FROZEN)
class Progress:
    """What a long measurement is doing; for the live display only, neither numbered nor stored."""

    id: str
    text: str


@cache
def _event_adapter() -> TypeAdapter[Event]:
    """Return the pydantic adapter that reads an event by its name."""
    return TypeAdapter(Annotated[Event, Field(discriminator="event")])


def from_json(line: bytes | str) -> Event:
    """The event of a line of a journal; raises ValueError where it is not one."""
    return _event_adapter().validate_json(line)
