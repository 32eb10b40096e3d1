"""An experiment from its steady state to its steady state."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack

from xnai_validate.checkers._steps import failure
from xnai_validate.checkers.experiment._models import Experiment, ExperimentParams
from xnai_validate.checkers.experiment._watch import Watch, hold_all, keep_probing, probe_once
from xnai_validate.kit import Context, Unmeasurable, XnaiError, checker

FAILED_CAP = 20


@checker(
    "experiment.run",
    expect={"steady_before": True, "during_failed": [], "steady_after": True},
    exclusive=True,
)
async def run_experiment(params: ExperimentParams, ctx: Context) -> Experiment:
    """Disturb the stack while it is steady, watch what becomes of it, undo, and watch it become steady again.

    A probe is made again and again from before the faults until after them; expectations are held while they are in
    force; other parts are asked meanwhile whether they notice. Where the stack is not steady beforehand nothing is
    disturbed. Probes are made one after the other, each within its own time limit. The words are those of
    https://principlesofchaos.org.

        kind: experiment.run
        target: api
        with:
          disturb: [{fault: redis.pause, target: redis}]
          probe: {kind: http.request, with: {path: /health, timeout: 2s}, expect: {status: 200}}
          during: [{kind: http.request, with: {path: /query}, expect: {status: {in: [200, 503]}, total_ms: {max: 3s}}}]
          bystanders: {docs: {kind: http.request, target: docs, with: {path: /}}}
        expect: {recovered_ms: {max: 10s}, blast_radius: []}
        timeout: 60s
    """
    least_s = params.before + params.hold
    if least_s >= ctx.timeout_s:
        raise Unmeasurable(
            f"`before` and `hold` take {least_s:g} s, and the check has {ctx.timeout_s:g} s",
            hint="give the check a longer timeout",
        )
    unsteady = await _unsteady_before(params, ctx)
    if unsteady:
        return Experiment(steady_before=False, unsteady_before=unsteady)
    try:
        return await _experiment(params, ctx)
    except BaseExceptionGroup as group:
        raise _plain(group) from None


def _plain(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """The first XnaiError in a group of a TaskGroup; else the group."""
    for error in group.exceptions:
        found = _plain(error) if isinstance(error, BaseExceptionGroup) else error
        if isinstance(found, XnaiError):
            return found
    return group


async def _experiment(params: ExperimentParams, ctx: Context) -> Experiment:
    watch = Watch(params.steady)
    touched: set[str] = set()
    async with asyncio.TaskGroup() as group:
        probing = group.create_task(keep_probing(ctx, params.probe, params.every, watch.take))
        during = await _disturbed(params, ctx, watch, touched)
        away = await _recovered(params, ctx, watch)
        probing.cancel()
    return _facts(watch, during, touched, away)


async def _unsteady_before(params: ExperimentParams, ctx: Context) -> list[str]:
    """Return what keeps the stack from being steady: the first failing probe, else the failing bystanders; or nothing.

    Probes for `before` seconds, and at least `steady` times.
    """
    end = ctx.clock.monotonic() + params.before
    ctx.progress("steady before?")
    count = 0
    while count < params.steady or ctx.clock.monotonic() < end:
        probe = await probe_once(ctx, params.probe)
        if probe.why is not None:
            return [probe.why]
        count += 1
        await ctx.clock.sleep(params.every)
    return sorted(await hold_all(ctx, params.bystanders))


async def _disturbed(params: ExperimentParams, ctx: Context, watch: Watch, touched: set[str]) -> list[str]:
    """Put the faults in force, hold them, and begin to take them back; what did not hold of `during`, in words."""
    async with AsyncExitStack() as stack, asyncio.TaskGroup() as group:
        watch.injecting_at = ctx.clock.monotonic()
        for disturbance in params.disturb:
            ctx.progress(f"injecting {disturbance.fault}")
            await stack.enter_async_context(ctx.injected(disturbance))
        begun = watch.in_force_at = ctx.clock.monotonic()
        ctx.progress("disturbed")
        asking = group.create_task(_ask_others(params, ctx, touched))
        failed = await _during(params, ctx)
        await ctx.clock.sleep(max(0.0, params.hold - (ctx.clock.monotonic() - begun)))
        asking.cancel()
        watch.undone_at = ctx.clock.monotonic()
        ctx.progress("taking it back")
    return failed


async def _ask_others(params: ExperimentParams, ctx: Context, touched: set[str]) -> None:
    while params.bystanders:
        touched |= await hold_all(ctx, params.bystanders)
        await ctx.clock.sleep(params.every)


async def _during(params: ExperimentParams, ctx: Context) -> list[str]:
    failed: list[str] = []
    for observation in params.during:
        try:
            why = failure(observation, await ctx.observe(observation))
        except XnaiError as error:
            why = f"{observation.kind}: {error.message}"
        failed += [why] if why else []
    return failed[:FAILED_CAP]


async def _recovered(params: ExperimentParams, ctx: Context, watch: Watch) -> set[str]:
    """Wait until the stack is steady or may take no longer; the others that do not hold then."""
    assert watch.undone_at is not None
    end = watch.undone_at + params.recover
    ctx.progress("steady again?")
    while True:
        away = await hold_all(ctx, params.bystanders) if watch.is_steady else set(params.bystanders)
        if (watch.is_steady and not away) or ctx.clock.monotonic() >= end:
            return away if watch.is_steady else await hold_all(ctx, params.bystanders)
        await ctx.clock.sleep(params.every)


def _facts(watch: Watch, during: list[str], touched: set[str], away: set[str]) -> Experiment:
    assert watch.in_force_at is not None
    assert watch.undone_at is not None
    steady_at = watch.steady_since if watch.is_steady else None
    first = watch.first_failed
    probe_why = [] if watch.is_steady else [watch.last_why or "the probe did not hold often enough"]
    return Experiment(
        steady_before=True,
        unsteady_before=[],
        detected_ms=_ms(watch.in_force_at, first),
        requests_during=watch.count,
        requests_failed_during=watch.failed,
        failed_ratio_during=watch.failed / watch.count if watch.count else 0.0,
        slowest_during_ms=None if watch.slowest_s is None else watch.slowest_s * 1000,
        error_kinds=sorted(watch.kinds),
        during_failed=during,
        recovered_ms=_ms(watch.undone_at, steady_at),
        outage_ms=None if first is None else _ms(first, steady_at),
        blast_radius=sorted(touched),
        steady_after=watch.is_steady and not away,
        unsteady_after=[*probe_why, *sorted(away)],
    )


def _ms(begun: float, ended: float | None) -> float | None:
    return None if ended is None else max(0.0, (ended - begun) * 1000)
