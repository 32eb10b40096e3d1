"""An experiment from its steady state to its steady state."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import AsyncExitStack

from xnai_validate.checkers._steps import failure
from xnai_validate.checkers.experiment._models import Experiment, ExperimentParams, experiment_waits
from xnai_validate.checkers.experiment._watch import (
    NOT_HERE,
    UNJUDGED,
    Bystanders,
    Look,
    Probe,
    Watch,
    in_words,
    keep_probing,
    look_at,
    probe_all,
    probe_once,
)
from xnai_validate.kit import Context, Observation, ToolLate, Unmeasurable, XnaiError, checker, wait_until_steady

FAILED_CAP = 20
LOOKS_WHEN_LATE = 3
"""How often what must hold is looked at, where this tool was too late to judge it: its lateness passes."""


@checker(
    "experiment.run",
    expect={"during_failed": [], "unsteady_after": []},
    exclusive=True,
    waits=experiment_waits,
)
async def run_experiment(params: ExperimentParams, ctx: Context) -> Experiment:
    """Disturb the stack while it is steady, watch what becomes of it, undo, and watch it become steady again.

    A probe is made again and again from before the faults until after them; expectations are held while they are in
    force; other parts are asked meanwhile whether they notice. A stack that is not steady beforehand is waited for; one
    that does not become so within `steady_within` is not disturbed, and the check is an error that names what does not
    hold. What `again` names need not hold before; what does must hold again afterwards. Probes are made one after the
    other, each within its own time limit. The words are those of https://principlesofchaos.org.

        kind: experiment.run
        target: api
        with:
          disturb: [{fault: redis.pause, target: redis}]
          probe: {kind: http.request, with: {path: /health, timeout: 2s}, expect: {status: 200}}
          during: [{kind: http.request, with: {path: /query}, expect: {status: {in: [200, 503]}, total_ms: {max: 3s}}}]
          bystanders: {docs: {kind: http.request, target: docs, with: {path: /}}}
        expect: {recovered_ms: {max: 10s}, blast_radius: []}
    """
    least_s = params.before + params.hold
    if least_s >= ctx.timeout_s:
        raise Unmeasurable(
            f"`before` and `hold` take {least_s:g} s, and the check has {ctx.timeout_s:g} s",
            hint="give the check a longer timeout",
        )
    await _wait_until_steady(params, ctx)
    holding, left_out = await _split(params, ctx)
    try:
        experiment = await _measure(params, ctx, params.bystanders | holding)
    except BaseExceptionGroup as group:
        raise _plain(group) from None
    detail = _join_reasons(params.again, left_out, ctx) or None
    return experiment.model_copy(update={"left_out": sorted(left_out), "left_out_detail": detail})


def _plain(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """The first XnaiError in a group of a TaskGroup; else the group."""
    for error in group.exceptions:
        found = _plain(error) if isinstance(error, BaseExceptionGroup) else error
        if isinstance(found, XnaiError):
            return found
    return group


async def _split(params: ExperimentParams, ctx: Context) -> tuple[dict[str, Observation], dict[str, str]]:
    """Split observations into those that hold and, with the reason, those that do not; drop what does not apply.

    Raises Unmeasurable where nothing holds, ToolLate where this tool was too late to judge one.
    """
    probes = await probe_all(ctx, params.again)
    for _ in range(LOOKS_WHEN_LATE - 1):
        late = {name: params.again[name] for name, probe in probes.items() if probe.kind == UNJUDGED}
        probes |= await probe_all(ctx, late)
    for probe in probes.values():
        if probe.kind == UNJUDGED:
            raise ToolLate(probe.why or UNJUDGED)
    holding = {name: params.again[name] for name, probe in probes.items() if probe.why is None}
    away = {name: probe.why for name, probe in probes.items() if probe.why is not None and probe.kind != NOT_HERE}
    if params.again and not holding:
        raise Unmeasurable(
            "nothing that must hold again holds before the experiment, so nothing was disturbed or judged: "
            + _join_reasons(params.again, away, ctx)
        )
    return holding, away


def _join_reasons(observations: Mapping[str, Observation], away: Mapping[str, str], ctx: Context) -> str:
    """Join the observations that do not hold and why."""
    return "; ".join(f"{name} ({in_words(ctx, observations[name], why)})" for name, why in sorted(away.items()))


async def _measure(params: ExperimentParams, ctx: Context, afterwards: dict[str, Observation]) -> Experiment:
    """Carry the experiment out: probe all the time, inject the fault, revert it, wait for the steady state."""
    watch, bystanders = Watch(params.steady), Bystanders()

    def take_probe(probe: Probe) -> None:
        """Count a probe and report the progress."""
        watch.take(probe)
        if watch.in_force_at is not None and watch.reverted_at is None:
            ctx.progress(f"disturbed, {watch.failed} of {watch.count} probes failed")
        elif watch.reverted_at is not None:
            ctx.progress("steady again? " + (f"not yet: {probe.why}" if probe.why else "the last probe held"))

    async with asyncio.TaskGroup() as group:
        probing = group.create_task(keep_probing(ctx, params.probe, params.every, take_probe))
        during, unjudged = await _disturb(params, ctx, watch, bystanders)
        last = await _await_recovery(params, ctx, watch, afterwards)
        probing.cancel()
    why = None if watch.is_steady else watch.last_why or "the probe did not hold often enough"
    unsteady = ([in_words(ctx, params.probe, why)] if why else []) + sorted(last.failing)
    facts = _facts_of(watch, None if unjudged and not during else during, bystanders, unsteady, last)
    detail = _join_reasons(params.bystanders, bystanders.failed, ctx) or None
    late = _join_reasons(params.bystanders | afterwards, bystanders.unjudged | last.unjudged, ctx)
    not_reached = unjudged or _why_no_probe(watch) or late or None
    return facts.model_copy(update={"blast_radius_detail": detail}).not_reached(not_reached)


def _why_no_probe(watch: Watch) -> str | None:
    """Return why no probe can be judged, None where some can: a probe may hang for as long as the faults are held."""
    if watch.count:
        return None
    under_way = watch.under_way_s
    took = "" if under_way is None else f"; the one that was under way when they began took {under_way:.1f} s"
    return f"no probe began while the faults were in force, so none is judged{took}"


async def _wait_until_steady(params: ExperimentParams, ctx: Context) -> None:
    """Wait until the probe holds for `before` seconds, `steady` times in a row, and every bystander holds.

    Raises Unmeasurable where that is not so within `steady_within`, or within what the check's time limit leaves for
    it: the reason names the part that does not hold.
    """
    spare_s = ctx.timeout_s - params.before - params.hold - params.recover
    within_s = min(params.steady_within, max(spare_s, params.before))

    async def why_unsteady() -> str | None:
        """Probe once; return why the probe does not hold, None if it does."""
        probe = await probe_once(ctx, params.probe)
        return None if probe.why is None else in_words(ctx, params.probe, probe.why)

    async def why_bystanders() -> str | None:
        """Observe the bystanders; return why some do not hold, None if all do."""
        look = await look_at(ctx, params.bystanders)
        return _join_reasons(params.bystanders, look.failing | look.unjudged, ctx) or None

    ctx.progress("steady before?")
    begun_s = ctx.clock.monotonic()
    why = await wait_until_steady(
        ctx.clock,
        why_unsteady,
        within_s=within_s,
        in_a_row=params.steady,
        every_s=params.every,
        at_least_s=params.before,
    )
    if why is None and params.bystanders:
        left_s = max(0.0, within_s - (ctx.clock.monotonic() - begun_s))
        why = await wait_until_steady(ctx.clock, why_bystanders, within_s=left_s, in_a_row=1, every_s=params.every)
    if why is not None:
        raise Unmeasurable(
            f"not steady within {within_s:g} s before the experiment, so nothing was disturbed or judged: {why}"
        )


async def _disturb(
    params: ExperimentParams, ctx: Context, watch: Watch, bystanders: Bystanders
) -> tuple[list[str], str | None]:
    """Inject the faults, hold them and begin to revert them; return what `_observe_disturbed` does."""
    async with AsyncExitStack() as stack, asyncio.TaskGroup() as group:
        watch.injecting_at = ctx.clock.monotonic()
        for disturbance in params.disturb:
            ctx.progress(f"injecting {disturbance.fault}")
            await stack.enter_async_context(ctx.injected(disturbance))
        begun = watch.in_force_at = ctx.clock.monotonic()
        ctx.progress("disturbed")
        held = asyncio.Event()
        asking = group.create_task(_watch_bystanders(params, ctx, bystanders, held))
        seen = await _observe_disturbed(params, ctx)
        await ctx.clock.sleep(max(0.0, params.hold - (ctx.clock.monotonic() - begun)))
        held.set()
        await asking
        watch.reverted_at = ctx.clock.monotonic()
        ctx.progress("reverting")
    return seen


async def _watch_bystanders(
    params: ExperimentParams, ctx: Context, bystanders: Bystanders, held: asyncio.Event
) -> None:
    """Observe the bystanders until the faults were `held`, once at least, and note what became of them.

    A look that is under way then is not cut short: of a bystander that hangs nothing would be known.
    """
    while params.bystanders:
        bystanders.take(params.bystanders, await look_at(ctx, params.bystanders))
        await ctx.clock.sleep(params.every)
        if held.is_set():
            return


async def _observe_disturbed(params: ExperimentParams, ctx: Context) -> tuple[list[str], str | None]:
    """Return what does not hold while the faults are in force, and the first time limit that was not judged."""
    failed: list[str] = []
    unjudged: str | None = None
    for observation in params.during:
        try:
            why = failure(observation, await ctx.observe(observation))
        except ToolLate as error:
            why, unjudged = None, unjudged or error.message
        except XnaiError as error:
            why = f"{observation.kind}: {error.message}"
        failed += [why] if why else []
    return failed[:FAILED_CAP], unjudged


async def _await_recovery(params: ExperimentParams, ctx: Context, watch: Watch, others: dict[str, Observation]) -> Look:
    """Wait until the stack is steady or may take no longer; return the last look at the observations.

    What is judged began when that time was over: a look, or a probe, that began before may have seen the stack as it
    was before. What this tool was too late to judge is not taken for steady: it is looked at again, unless another part
    does not hold by then, which is enough to know that the stack is not steady.
    """
    assert watch.reverted_at is not None
    deadline = watch.reverted_at + params.recover
    ctx.progress("steady again?")
    looks_left = LOOKS_WHEN_LATE
    while True:
        is_last = ctx.clock.monotonic() >= deadline and watch.is_settled_after(deadline)
        if watch.is_steady or is_last:
            look = await look_at(ctx, others)
            looks_left -= is_last
            if not (look.failing or look.unjudged) or (is_last and (look.failing or looks_left <= 0)):
                return look
        await ctx.clock.sleep(params.every)


def _facts_of(
    watch: Watch, during: list[str] | None, bystanders: Bystanders, unsteady: list[str], last: Look
) -> Experiment:
    """Return the facts of a whole experiment."""
    assert watch.in_force_at is not None
    assert watch.reverted_at is not None
    steady_at = watch.steady_since if watch.is_steady else None
    first = watch.first_failed
    is_unknown = bool(last.unjudged) and not unsteady
    return Experiment(
        detected_ms=_elapsed_ms(watch.in_force_at, first),
        requests_during=watch.count,
        requests_failed_during=watch.failed if watch.count else None,
        failed_ratio_during=watch.failed / watch.count if watch.count else None,
        slowest_during_ms=None if watch.slowest_s is None else watch.slowest_s * 1000,
        error_kinds=sorted(watch.kinds),
        during_failed=during,
        recovered_ms=_elapsed_ms(watch.reverted_at, steady_at),
        outage_ms=None if first is None else _elapsed_ms(first, steady_at),
        blast_radius=None if bystanders.unjudged and not bystanders.failed else sorted(bystanders.failed),
        steady_after=None if is_unknown else not unsteady,
        steady_after_detail="; ".join(unsteady) or None,
        unsteady_after=None if is_unknown else unsteady,
    )


def _elapsed_ms(begun: float, ended: float | None) -> float | None:
    """Return the milliseconds between two instants; None without an end."""
    return None if ended is None else max(0.0, (ended - begun) * 1000)
