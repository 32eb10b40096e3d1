"""Whether a health report is accurate: break each dependency in turn, probe it, and compare."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from statistics import median

from xnai_validate.checkers._once import once
from xnai_validate.checkers.health._busy import Busy, while_busy
from xnai_validate.checkers.health._cost import cost
from xnai_validate.checkers.health._course import Seen, Watch, cells, watch
from xnai_validate.checkers.health._sample import Paths, status_fault
from xnai_validate.checkers.health._truth_model import Truth, TruthParams, truth_waits
from xnai_validate.kit import (
    Context,
    JsonObject,
    JsonValue,
    Unmeasurable,
    checker,
)

FAULTS_CAP = 20


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
    watched = Watch(params.health, params.truth, Paths(params.components, params.status), params.every)
    before = await (_steady(params, ctx, watched) if params.situations else _observe_healthy(params, ctx, watched))
    untried = _unsteady(params, before)
    spent = {"ms": round(median(sample.report_ms for sample in before.samples), 3)}
    spent |= await cost(ctx, params.health, params.cost, params.cost_reports, params.settle, params.before_cost)
    busy = Busy(None, None, None)
    if params.busy is not None:
        ctx.progress("busy")
        busy = await while_busy(ctx, params.busy, params.health, watched.paths, params.every)
    seen = [before]
    table: list[JsonObject] = cells(before, before, tuple(params.truth))
    ineffective = [f"busy: {busy.failed}"] if busy.failed else []
    steady = [name for name in params.truth if name not in untried]
    stale: list[float | None] = []
    for situation in params.situations:
        within_s = situation.detect_within or params.detect_within
        ctx.progress(situation.name)
        async with ctx.injected(situation.breach):
            during = await watch(ctx, watched, situation.name, within_s, changed=True)
        ctx.progress(f"after {situation.name}")
        after = await watch(ctx, watched, situation.name, params.recover_within, changed=False)
        seen += [during, after]
        rows = cells(during, after, tuple(params.truth))
        table += rows
        stale += [during.stale_ms(name, False) for name in steady]
        stale += [after.stale_ms(name, True) for name in steady if _is_down(rows, name)]
        if all(sample.truth[name] for sample in during.samples for name in params.truth):
            ineffective.append(situation.name)
    return _facts_of(params, seen, table, ineffective, Extras(_longest(stale), spent, busy, untried))


async def _steady(params: TruthParams, ctx: Context, watched: Watch) -> Seen:
    """The stack before anything is done to it, once everything is well and reported so, or the time for that is over.

    Raises Unmeasurable if a component is down by its own probe: a situation could not be distinguished from that.
    """
    ctx.progress("is everything well?")
    situations_s = sum(
        (each.detect_within or params.detect_within) + params.recover_within for each in params.situations
    )
    within_s = min(params.steady_within, max(1.0, ctx.timeout_s - situations_s))
    seen = await watch(ctx, watched, "as it is", within_s, changed=False)
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
    """Return the components that the report does not call well before anything is disturbed -> what it reports."""
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
    """Whether a dependency was down, by the probes."""
    return any(row["component"] == name and row["true"] is False for row in rows)


async def _observe_healthy(params: TruthParams, ctx: Context, watched: Watch) -> Seen:
    """Observe the stack before anything is done to it, a few times."""
    seen = Seen("as it is", ctx.clock.monotonic())
    for number in range(params.looks):
        if number:
            await ctx.clock.sleep(params.every)
        seen.samples += (await watch(ctx, watched, "as it is", 0.0, changed=False)).samples
    return seen


@dataclass(frozen=True, slots=True)
class Extras:
    """What is known of the report besides the table."""

    stale_ms: float | None
    cost: dict[str, float]
    busy: Busy
    untried: Mapping[str, str]
    """Component -> why no situation can be judged of it."""


def _facts_of(
    params: TruthParams, seen: list[Seen], table: list[JsonObject], ineffective: list[str], extras: Extras
) -> Truth:
    """Return the facts of all situations."""
    samples = [sample for course in seen for sample in course.samples]
    usable = [sample for sample in samples if sample.claims is not None]
    known = {name for sample in usable for name in sample.claims or {}}
    reason = _describe_untried(params, ineffective, extras.untried, seen)
    rows = [row for row in table if row["situation"] == seen[0].name or row["component"] not in extras.untried]
    faults = [fault for sample in usable if (fault := status_fault(sample, params.healthy)) is not None]
    return Truth(
        cells=list(table),
        false_green=_list_rows((row for row in rows if row["claimed"] is True and row["true"] is False), reason),
        false_red=_list_rows((row for row in table if row["claimed"] is False and row["true"] is True), reason),
        not_recovered=_list_rows(
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


def _describe_untried(
    params: TruthParams, ineffective: list[str], untried: Mapping[str, str], seen: Iterable[Seen]
) -> str | None:
    """Describe why not every component could be tried in every situation; None if it could."""
    reasons = [f"{name} {why} before anything was disturbed" for name, why in untried.items() if params.situations]
    reasons += [f"nothing was broken by the probes of the check: {name}" for name in ineffective]
    silent = dict.fromkeys(course.name for course in seen if course.last is not None and course.last.claims is None)
    reasons += [f"when the time to notice was over no usable report came: {name}" for name in silent]
    return "; ".join(reasons) or None


def _list_rows(rows: Iterable[Mapping[str, JsonValue]], reason: str | None) -> list[str] | None:
    """List the rows as `component, situation`; None if there are no rows and a reason why they may be missing."""
    names = [f"{row['component']}, {row['situation']}" for row in rows]
    return None if reason and not names else names


def _longest(values: Iterable[JsonValue]) -> float | None:
    """Return the largest of the numbers; None without any."""
    return max((float(value) for value in values if isinstance(value, int | float)), default=None)
