"""The report: the whole of a run as one value; its JSON form is published and others build on its names."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, JsonValue
from pydantic.dataclasses import dataclass

from xnai_validate.model.frozen_model import FROZEN
from xnai_validate.model.json import JsonObject
from xnai_validate.model.judging.fact_types import FactType
from xnai_validate.model.judging.findings import Finding
from xnai_validate.model.judging.rules import Rule
from xnai_validate.model.results.comparison import Comparison
from xnai_validate.model.results.exchange import Exchange
from xnai_validate.model.results.severity import Severity
from xnai_validate.model.results.status import Status
from xnai_validate.model.results.vantage import VantageResult

FORMAT: Literal["xnai-validate/report/1"] = "xnai-validate/report/1"

Verdict = Literal["passed", "failed", "undecided", "not undone", "stopped", "interrupted"]


def _verify_instant(text: str) -> str:
    """Return the text. Raises ValueError if it is not an instant in ISO 8601."""
    datetime.fromisoformat(text)
    return text


@dataclass(frozen=True, slots=True, kw_only=True, config=FROZEN)
class Source:
    """Where a check is written."""

    file: str
    line: int


@dataclass(frozen=True, slots=True, kw_only=True, config=FROZEN)
class Promise:
    """What a check requires of a stack, and the document or specification that requires it."""

    id: str
    """Such as `api.errors.envelope`."""
    text: str
    source: str
    practice: bool = False
    """Whether it is a good practice that the stack never promised."""
    layouts: tuple[str, ...] = ()
    """The layouts for which it holds; empty: all."""
    unchecked: str | None = None
    """Why no check can verify it, if none can."""


@dataclass(frozen=True, slots=True, kw_only=True, config=FROZEN)
class Waiver:
    """A failure that is accepted until a date."""

    check: str
    """A glob on full ids."""
    reason: str
    until: str
    """The last day on which it holds, as `2026-12-31` (UTC)."""
    owner: str
    source: Source
    expired: bool = False
    """Whether its last day was over when the run was planned: the failure counts again."""


@dataclass(frozen=True, slots=True, kw_only=True, config=FROZEN)
class CheckInfo:
    """A check before it runs."""

    id: str
    """`<category>/<suite>:<id>`."""
    title: str
    category: str
    kind: str
    target: str | None = None
    tags: tuple[str, ...] = ()
    covers: tuple[str, ...] = ()
    fix: str | None = None
    fixes: dict[str, str] | None = None
    """What to do by the kind of error or the fact; `fix` is for whatever they do not name."""
    source: Source
    disruptive: bool = False
    promise: Promise | None = None
    """What it holds the stack to."""
    waiver: Waiver | None = None
    """The waiver that covers it; one that has expired stays named."""
    faults: tuple[str, ...] = ()
    """The faults that it injects, each with its target: `process.pause redis`."""
    severity: Severity = Severity.MEDIUM
    """How much a failure matters."""


@dataclass(frozen=True, slots=True, kw_only=True, config=FROZEN)
class Criterion:
    """A success criterion: a rule about the counts of a category, or of the whole run (`total`)."""

    scope: str
    rule: Rule
    not_judged: str | None = None
    """Why it is not judged in this run: it presupposes something that was not allowed."""


_COUNT = FactType("number", integer=True, floor=0)
COUNTS = dict.fromkeys(("planned", "passed", "flaky", "warnings", "failed", "waived", "errors", "skipped"), _COUNT)
"""The counts that a success criterion may be about."""


@dataclass(frozen=True, slots=True, kw_only=True, config=FROZEN)
class Shard:
    """Which part of a plan a run measures, and what its report needs to be merged with those of the other parts."""

    number: int
    """From 1 to `count`."""
    count: int
    plan: dict[str, str]
    """Suite file -> digest of its checks in the whole plan; values that differ from stack to stack are left out."""
    split: str
    """Digest of which check counts in which shard."""
    share: dict[str, int]
    """Full id of each check that counts in this shard -> its place in the whole plan, from 1.

    The other checks of the run are measured because checks of the share need them; they count in another shard.
    """
    planned: int
    """How many checks the whole plan has."""
    title: str
    """The title of the whole plan."""
    narrowed: bool
    """Whether the whole plan is only a part of its profiles."""
    criteria: tuple[Criterion, ...]
    """The success criteria of the whole plan."""
    fail_on: tuple[Status, ...] = (Status.FAIL,)
    fail_if_none: bool = False
    """Whether the merged run is undecided if every check was skipped; of a shard alone that decides nothing."""

    @property
    def name(self) -> str:
        """Such as `2/5`."""
        return f"{self.number}/{self.count}"


@dataclass(frozen=True, slots=True, kw_only=True, config=FROZEN)
class RunInfo:
    """Which run it is and where it ran."""

    id: str
    title: str
    profiles: tuple[str, ...]
    started_at: float
    """Seconds since the epoch."""
    host: JsonObject
    fail_on: tuple[Status, ...] = (Status.FAIL,)
    """The statuses that make the run fail, besides criteria that are not met."""
    fail_if_none: bool = False
    """Whether a run in which every check was skipped is undecided instead of passed."""
    version: str
    """The version of xnai-validate."""
    resumes: str | None = None
    """The id of the run of which this one finishes the plan."""
    narrowed: bool = False
    """Whether it ran only a part of its profiles, chosen on the command line."""
    shard: Shard | None = None
    """Which part of the plan it measured; None for a run of the whole plan."""
    shards: tuple[str, ...] = ()
    """The ids of the runs that it was merged from, if it was."""


@dataclass(frozen=True, slots=True, kw_only=True, config=FROZEN)
class Tool:
    """The program that wrote the report."""

    name: str = "xnai-validate"
    version: str


@dataclass(frozen=True, slots=True, kw_only=True, config=FROZEN)
class ReportRun:
    """The run of a report."""

    id: str
    title: str
    profiles: tuple[str, ...]
    started_at: Annotated[str, AfterValidator(_verify_instant)]
    """ISO 8601, UTC."""
    elapsed_ms: float
    host: JsonObject
    targets: dict[str, str | None]
    """Target -> the url that was used."""
    stopped: str | None = None
    """Why the run ended before its plan did: interrupted, deadline, memory, fail-fast, killed, not-undone."""
    resumes: str | None = None
    """The id of the interrupted run that this one finished; its results are part of this report."""
    narrowed: bool = False
    """Whether only a part of the profiles was run, chosen on the command line."""
    shard: Shard | None = None
    """Which part of the plan was measured; null for a run of the whole plan, and for a merged report."""
    shards: tuple[str, ...] = ()
    """The ids of the runs that a merged report was made from, by the number of their shard."""


@dataclass(frozen=True, slots=True, kw_only=True, config=FROZEN)
class Summary:
    """How many checks have each status."""

    pass_: int = Field(default=0, alias="pass")
    flaky: int = 0
    warn: int = 0
    fail: int = 0
    waived: int = 0
    error: int = 0
    skip: int = 0


@dataclass(frozen=True, slots=True, kw_only=True, config=FROZEN)
class CriterionResult:
    """A success criterion, judged."""

    name: str
    planned: str
    actual: JsonValue
    met: bool | None
    """Whether it is met; null where it was not judged."""
    not_judged: str | None = None
    """Why it was not judged."""


@dataclass(frozen=True, slots=True, kw_only=True, config=FROZEN)
class CheckResult:
    """A check with its status and its evidence."""

    id: str
    title: str
    category: str
    kind: str
    target: str | None
    status: Status
    reason: str | None
    """One sentence: why the status is not pass."""
    blocked_by: str | None
    """The id of the check that is the root cause, for a check that was skipped because of it."""
    findings: tuple[Finding, ...]
    facts: JsonObject
    attempts: int
    elapsed_ms: float
    began_ms: float | None = None
    """From the beginning of the run to that of the check; null if it was not attempted."""
    ended_ms: float | None = None
    """From the beginning of the run to the end of the check, all attempts included."""
    covers: tuple[str, ...]
    tags: tuple[str, ...] = ()
    fix: str | None
    source: Source
    promise: Promise | None = None
    waiver: Waiver | None = None
    """The waiver that covers it, whatever its status."""
    faults: tuple[str, ...] = ()
    """The faults that it injects, each with its target: `process.pause redis`."""
    severity: Severity = Severity.MEDIUM
    """How much a failure matters: critical, high, medium or low."""
    exchanges: tuple[Exchange, ...] = ()
    """What was sent and what came back: those whose result did not hold, else the last ones; empty if it passed."""
    repeat: str | None = None
    """A shell command that sends the last request again, secrets as `$NAMES`; null without one, and if it passed."""
    vantage: tuple[VantageResult, ...] = ()
    """The result from each vantage point; findings, facts and exchanges of the check are those of the worst. Empty for
    a check that one process alone has measured."""


@dataclass(frozen=True, slots=True, kw_only=True, config=FROZEN)
class Cause:
    """A root cause: checks that failed, or could not be measured, for one reason."""

    id: str
    """The id of the check that stands for it."""
    title: str
    status: Status
    target: str | None
    reason: str | None
    alike: tuple[str, ...]
    """The ids of the other checks that failed for this reason, and of those that warn for it."""
    blocks: tuple[str, ...]
    """The ids of the checks that could not be measured because of it."""


@dataclass(frozen=True, slots=True, kw_only=True, config=FROZEN)
class FaultResult:
    """A fault that was injected, and whether it was reverted."""

    fault: str
    target: str | None
    injected_at: str
    reverted_at: str | None
    proven: bool
    check: str | None = None
    """The id of the check that injected it."""
    injected_ms: float = 0.0
    """From the beginning of the run to the injection."""
    reverted_ms: float | None = None
    """From the beginning of the run to the end of the revert; null if it may still be in force."""


@dataclass(frozen=True, slots=True, kw_only=True, config=FROZEN)
class ReportNotice:
    """Something the user should know besides the checks."""

    level: Literal["info", "warning", "error"]
    text: str


@dataclass(frozen=True, slots=True, kw_only=True, config=FROZEN)
class RunReport:
    """A run, whole."""

    format: Literal["xnai-validate/report/1"] = FORMAT
    tool: Tool
    run: ReportRun
    exit_code: int
    verdict: Verdict
    summary: Summary
    criteria: tuple[CriterionResult, ...]
    checks: tuple[CheckResult, ...]
    faults: tuple[FaultResult, ...]
    notices: tuple[ReportNotice, ...]
    comparison: Comparison | None = None
    """The comparison of the run with a baseline, if one was requested."""
    causes: tuple[Cause, ...] = ()
    """The root causes of what failed or could not be measured, those that block the most checks first."""
