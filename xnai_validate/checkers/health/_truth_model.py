"""Parameters and facts of `health.truth`, and how long it takes."""

from __future__ import annotations

from typing import Annotated

from xnai_validate.checkers._watch import Watch as Number
from xnai_validate.kit import (
    STEADY_WITHIN_S,
    Count,
    Duration,
    Facts,
    FaultEntry,
    Field,
    Ge,
    Inner,
    JsonValue,
    Le,
    Len,
    Milliseconds,
    Needs,
    Observation,
    Params,
    Waits,
    at_once,
)


class Situation(Params):
    """One way in which the stack is not well."""

    name: str
    """What it is called in the table: `without the model`."""
    breach: FaultEntry
    """The fault that causes it; it is reverted afterwards."""
    if_configured: bool = False
    """Whether it is left out where the target of the fault is not configured."""
    detect_within: Duration | None = None
    """How long the report may take to notice; by default that of the check."""


class TruthParams(Params):
    """The report, the truth, and the situations."""

    health: Observation
    """The health report: an `http.request` whose answer is JSON."""
    truth: Annotated[dict[str, Observation], Len(1, 50)]
    """Component of the report -> a probe of the component itself, which holds exactly where the component is well."""
    situations: list[Situation] = Field(default_factory=list)
    """What is done to the stack, one after the other; without any, only the stack as it is is looked at."""
    components: str = "$.components"
    """Where the report has its components (JSONPath): a mapping name -> boolean."""
    status: str = "$.status"
    """Where the report has its status."""
    healthy: str = "healthy"
    """The status that must be there exactly where every component is well."""
    every: Duration = 0.2
    """How often everything is looked at."""
    detect_within: Duration = 30.0
    """How long the report may take to notice that something is broken."""
    recover_within: Duration = 60.0
    """How long the recovery of everything may take, and its report."""
    looks: Annotated[int, Ge(1), Le(100)] = 3
    """How often the stack as it is is looked at first."""
    steady_within: Duration = STEADY_WITHIN_S
    """How long everything may take to be well, and reported so, before the first situation."""
    cost: dict[str, Number] = Field(default_factory=dict)
    """Name -> a number that reports should not move, or little: tokens generated, requests made. Where other clients
    move it too, a cost below 1 per report is not distinguished from 0."""
    before_cost: Observation | None = None
    """Work that is done once before these numbers are read, so that they exist: a counter with labels appears with its
    first count."""
    cost_reports: Annotated[int, Ge(1), Le(1_000)] = 10
    """How many reports are asked for to find out what one costs."""
    settle: Duration = 0.0
    """How long to wait before the numbers of `cost` are read: after the work, and after the reports."""
    busy: Observation | None = None
    """Work during which reports are asked for, such as a load of questions."""


def truth_waits(params: TruthParams, inner: Inner) -> Waits:
    """How long the table takes: the stack as it is, then each situation and its end; at most all the time for each."""
    look = at_once((params.health, *params.truth.values()), inner)
    busy = inner(params.busy) if params.busy is not None else Waits(0.0, 0.0)
    detects = [situation.detect_within or params.detect_within for situation in params.situations]
    looks = params.looks + (params.cost_reports if params.cost else 0)
    usual = look.usual_s + params.every
    return Waits(
        # Three looks must agree; a report is mostly up to date within a quarter of its time.
        usual_s=looks * usual + params.settle + busy.usual_s + sum(each / 4 + 6 * usual for each in detects),
        longest_s=(looks + 2 * len(detects)) * (look.most_s + params.every)
        + params.settle
        + busy.most_s
        + sum(each + params.recover_within for each in detects),
        held_s=max(detects, default=0.0) + look.most_s if detects else 0.0,
        shared="health.truth",
    )


class Truth(Facts):
    """The table of what was claimed and what was so, and what follows from it."""

    cells: JsonValue
    """Rows `{situation, component, claimed, true, detected_ms, claimed_after, true_after, recovered_ms}`."""
    false_green: list[str] | None
    """`component, situation`: reported healthy while it was not, after the time to notice was over; null where none was
    and not every component could be tried."""
    false_red: list[str] | None
    """`component, situation`: reported unhealthy while it was healthy; null likewise."""
    not_recovered: list[str] | None
    """`component, situation`: unhealthy afterwards, or reported so; null likewise."""
    detect_ms: Milliseconds | None
    """The longest time from a breach to its report; null if none was reported."""
    recover_ms: Milliseconds | None
    """The longest time from the end of a breach to the report that keeps to it."""
    stale_ms: Milliseconds | None
    """The longest time for which the report was out of date, by the components' own probes."""
    health_cost: dict[str, float]
    """What a report costs: `ms`, its median time on the stack as it is, and by how much each number of `cost` moved; a
    number that is absent afterwards is left out."""
    answers_while_busy: Annotated[bool | None, Needs("busy")]
    """Whether every report came that was asked for while `busy` was under way, and one at least before it was over;
    null without `busy`."""
    busy_ms: Annotated[Milliseconds | None, Needs("busy")]
    """The slowest report meanwhile."""
    status_follows_components: bool
    """Whether in every report the status was the one that follows from its components."""
    status_faults: list[str]
    """Where it was not, in words."""
    missing_components: list[str]
    """Components whose truth is known and which the report does not have."""
    unverified: list[str]
    """Components of the report whose truth is not asked for."""
    ineffective: list[str]
    """Situations in which nothing was really broken, by the probes of the components; `busy` where its work failed."""
    report_count: Count
    """How many reports were asked for."""
    unanswered_count: Count
    """How many of these gave no usable answer."""
    slowest_ms: Milliseconds
    """The slowest answer to a request for the report."""
