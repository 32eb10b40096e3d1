"""Whether a health report is accurate: break each dependency in turn, probe it, and compare."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from statistics import median
from typing import Annotated

from xnai_validate.checkers._once import once
from xnai_validate.checkers._watch import Watch as Number
from xnai_validate.checkers.health._busy import Busy, while_busy
from xnai_validate.checkers.health._cost import cost
from xnai_validate.checkers.health._course import Seen, Watch, cells, watch
from xnai_validate.checkers.health._sample import Paths, status_fault
from xnai_validate.kit import (
    STEADY_WITHIN_S,
    Context,
    Count,
    Duration,
    Facts,
    FaultEntry,
    Field,
    Ge,
    Inner,
    JsonObject,
    JsonValue,
    Le,
    Len,
    Milliseconds,
    Observation,
    Params,
    Unmeasurable,
    Waits,
    at_once,
    checker,
)

FAULTS_CAP = 20


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
    """Name -> a number that reports should not move, or little: tokens generated, memory, processor time."""
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
    answers_while_busy: bool | None
    """Whether every report came that was asked for while `busy` was under way, and before it was over, those of its
    last second aside; null without `busy`."""
    busy_ms: Milliseconds | None
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


@checker(
    "health.truth",
    exclusive=True,
    waits=truth_waits,
)
async def truth(params: TruthParams, ctx: Context) -> Truth:
    """Compare a health report with the actual state: as it is, and while each dependency is broken.

    The truth is measured independently, by a probe of each component, at the same moments as the report. A cell of the
    table is judged when report and truth have agreed for three looks, or the time to notice is over. Before the first
    situation everything is waited for to be well; a component that its own probe finds down then is an error, and one
    that the report claims to be down is judged as the stack is, and in no situation. Equal checks of a run share one
    measurement.

        kind: health.truth
        target: api
        with:
          health: {kind: http.request, with: {path: /health}}
          truth:
            llm: {kind: http.request, target: llm, with: {path: /health, timeout: 1s}}
            health_redis: {kind: redis.ping, target: redis, with: {timeout: 1s}}
          situations:
            - {name: without the model, breach: {fault: process.pause, target: llm}}
          detect_within: 10s
          cost: {tokens: {kind: metrics.samples, target: metrics, fact: samples, path: tokens_total}}
          busy: {kind: load.http, with: {method: POST, path: /query, json: {query: Hello}, callers: 8, for: 3s}}
        expect:
          {false_green: [], false_red: [], not_recovered: [], status_faults: [], detect_ms: {max: 30s},
           stale_ms: {max: 30s}, health_cost: {tokens: 0, ms: {max: 200}}, answers_while_busy: true}
    """
    return await once("health.truth", params, ctx, lambda: _measure(params, ctx))


async def _measure(params: TruthParams, ctx: Context) -> Truth:
    """Look at the stack as it is, then during and after each situation, and return the table of what was reported."""
    what = Watch(params.health, params.truth, Paths(params.components, params.status), params.every)
    before = await (_steady(params, ctx, what) if params.situations else _as_it_is(params, ctx, what))
    untried = _unsteady(params, before)
    spent = {"ms": round(median(sample.report_ms for sample in before.samples), 3)}
    spent |= await cost(ctx, params.health, params.cost, params.cost_reports, params.settle, params.before_cost)
    busy = Busy(None, None, None)
    if params.busy is not None:
        ctx.progress("busy")
        busy = await while_busy(ctx, params.busy, params.health, what.paths, params.every)
    seen = [before]
    table: list[JsonObject] = cells(before, before, tuple(params.truth))
    ineffective = [f"busy: {busy.failed}"] if busy.failed else []
    steady = [name for name in params.truth if name not in untried]
    stale: list[float | None] = []
    for situation in params.situations:
        within_s = situation.detect_within or params.detect_within
        ctx.progress(situation.name)
        async with ctx.injected(situation.breach):
            during = await watch(ctx, what, situation.name, within_s, changed=True)
        ctx.progress(f"after {situation.name}")
        after = await watch(ctx, what, situation.name, params.recover_within, changed=False)
        seen += [during, after]
        rows = cells(during, after, tuple(params.truth))
        table += rows
        stale += [during.stale_ms(name, False) for name in steady]
        stale += [after.stale_ms(name, True) for name in steady if _is_down(rows, name)]
        if all(sample.truth[name] for sample in during.samples for name in params.truth):
            ineffective.append(situation.name)
    return _facts(params, seen, table, ineffective, Extras(_longest(stale), spent, busy, untried))


async def _steady(params: TruthParams, ctx: Context, what: Watch) -> Seen:
    """The stack before anything is done to it, once everything is well and reported so, or the time for that is over.

    Raises Unmeasurable if a component is down by its own probe: a situation could not be distinguished from that.
    """
    ctx.progress("is everything well?")
    situations_s = sum(
        (each.detect_within or params.detect_within) + params.recover_within for each in params.situations
    )
    within_s = min(params.steady_within, max(1.0, ctx.timeout_s - situations_s))
    seen = await watch(ctx, what, "as it is", within_s, changed=False)
    seen.samples[:] = seen.samples[-params.looks :]
    last = seen.samples[-1]
    down = sorted(name for name, well in last.truth.items() if not well)
    if down:
        raise Unmeasurable(
            f"{' and '.join(down)} did not work within {within_s:g} s, by the probe of the check,"
            " so nothing was disturbed or judged"
        )
    return seen


def _unsteady(params: TruthParams, before: Seen) -> dict[str, str]:
    """Component -> what the report claims of it before anything is disturbed, where that is not that it is well."""
    last = before.last
    claims = last.claims if last is not None else None
    if claims is None:
        return dict.fromkeys(params.truth, "has no report")
    return {
        name: "is reported down" if name in claims else "is missing in the report"
        for name in params.truth
        if claims.get(name) is not True
    }


def _is_down(rows: list[JsonObject], name: str) -> bool:
    return any(row["component"] == name and row["true"] is False for row in rows)


async def _as_it_is(params: TruthParams, ctx: Context, what: Watch) -> Seen:
    """The stack before anything is done to it: looked at a few times, without waiting for anything."""
    seen = Seen("as it is", ctx.clock.monotonic())
    for _ in range(params.looks):
        seen.samples += (await watch(ctx, what, "as it is", 0.0, changed=False)).samples
        await ctx.clock.sleep(params.every)
    return seen


@dataclass(frozen=True, slots=True)
class Extras:
    """What is known of the report besides the table."""

    stale_ms: float | None
    cost: dict[str, float]
    busy: Busy
    untried: Mapping[str, str]
    """Component -> why no situation can be judged of it."""


def _facts(
    params: TruthParams, seen: list[Seen], table: list[JsonObject], ineffective: list[str], extras: Extras
) -> Truth:
    samples = [sample for course in seen for sample in course.samples]
    usable = [sample for sample in samples if sample.claims is not None]
    known = {name for sample in usable for name in sample.claims or {}}
    reason = _untried(params, ineffective, extras.untried)
    rows = [row for row in table if row["situation"] == seen[0].name or row["component"] not in extras.untried]
    faults = [fault for sample in usable if (fault := status_fault(sample, params.healthy)) is not None]
    return Truth(
        cells=list(table),
        false_green=_named((row for row in rows if row["claimed"] is True and row["true"] is False), reason),
        false_red=_named((row for row in table if row["claimed"] is False and row["true"] is True), reason),
        not_recovered=_named(
            (row for row in rows if row["claimed_after"] is False or row["true_after"] is False), reason
        ),
        detect_ms=None if reason else _longest(row["detected_ms"] for row in rows),
        recover_ms=None if reason else _longest(row["recovered_ms"] for row in rows),
        stale_ms=None if reason else extras.stale_ms,
        health_cost=extras.cost,
        answers_while_busy=None if extras.busy.failed else extras.busy.answered,
        busy_ms=None if extras.busy.failed else extras.busy.slowest_ms,
        status_follows_components=not faults,
        status_faults=list(dict.fromkeys(faults))[:FAULTS_CAP],
        missing_components=sorted(set(params.truth) - known) if usable else sorted(params.truth),
        unverified=sorted(known - set(params.truth)),
        ineffective=ineffective,
        report_count=len(samples),
        unanswered_count=len(samples) - len(usable),
        slowest_ms=max(sample.report_ms for sample in samples),
    ).not_reached(reason)


def _untried(params: TruthParams, ineffective: list[str], untried: Mapping[str, str]) -> str | None:
    """Why not every component could be tried in every situation, in words; None where it could."""
    reasons = [f"{name} {why} before anything was disturbed" for name, why in untried.items() if params.situations]
    reasons += [f"nothing was broken by the probes of the check: {name}" for name in ineffective]
    return "; ".join(reasons) or None


def _named(rows: Iterable[Mapping[str, JsonValue]], reason: str | None) -> list[str] | None:
    found = [f"{row['component']}, {row['situation']}" for row in rows]
    return None if reason and not found else found


def _longest(values: Iterable[JsonValue]) -> float | None:
    return max((float(value) for value in values if isinstance(value, int | float)), default=None)
