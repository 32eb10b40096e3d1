"""`run --resume`: what an interrupted run has measured, and whether its plan is still the same."""

from __future__ import annotations

from dataclasses import replace

from xnai_validate import __version__
from xnai_validate.cli.running.host import host_facts
from xnai_validate.cli.running.options import RunOptions
from xnai_validate.cli.stored_runs import events_of, journal_of
from xnai_validate.engine.events.earlier_part import EarlierPart, Resumed, earlier_part
from xnai_validate.engine.events.journal import is_being_written
from xnai_validate.engine.state_folder import refuse_shared, state_dir
from xnai_validate.errors import ConfigError, XnaiError
from xnai_validate.model.results.report import Shard
from xnai_validate.model.results.status import Status
from xnai_validate.plan import Plan


def resumable(name: str) -> EarlierPart:
    """Return the part of a run that was measured. Raises ConfigError if the run cannot be resumed."""
    state = state_dir()
    refuse_shared(state, state / "runs")
    if is_being_written(journal_of(name)):
        raise ConfigError(f"the run {name} still goes on", hint="end it first, or let it reach its end")
    try:
        part = earlier_part(events_of(name))
    except XnaiError as error:
        raise ConfigError(f"{name} cannot be resumed: {error.message}", hint=error.hint) from None
    if part.is_whole:
        raise ConfigError(
            f"the run {part.run_id} has reached its end; nothing is left to measure",
            hint=f"show it with: xnai-validate report {part.run_id}",
        )
    return part


def nonce_of(part: EarlierPart | None) -> str | None:
    """Return the `run.nonce` of the interrupted run, under which its checks have left their test data."""
    identity = None if part is None else part.started.plan
    return None if identity is None else identity.nonce


def refuse_other_plan(part: EarlierPart, plan: Plan, options: RunOptions) -> None:
    """Raise ConfigError if a plan, or how it is judged, is not that of the interrupted run."""
    found = part.differences(plan)
    run = part.started.run
    judged_if_none = run.fail_if_none if run.shard is None else run.shard.fail_if_none
    for option, before, now in (
        ("version of xnai-validate", run.version, __version__),
        ("host", str(run.host.get("name")), str(host_facts().get("name"))),
        ("--fail-on", _join_statuses(run.fail_on), _join_statuses(options.failing)),
        ("--fail-if-none", str(judged_if_none), str(options.failing_if_none)),
        ("--shard", _describe_shard(run.shard), _describe_shard(plan.shard)),
    ):
        if before != now:
            found.append(f"{option}: {before} before, {now} now")
    if found:
        raise ConfigError(
            f"the run {part.run_id} had another plan: {'; '.join(found)}",
            hint="give the options that it was started with, or run everything again without --resume",
        )


def with_notice_of(plan: Plan, resumed: Resumed) -> Plan:
    """Return the plan with a notice: which run it finishes, and how much of it was measured there."""
    count = f"{len(resumed.ids)} of {len(plan.checks)}"
    return replace(plan, notices=(*plan.notices, f"finishes the run {resumed.run_id}, which measured {count} checks"))


def _describe_shard(shard: Shard | None) -> str:
    """Return which shard a run was, and how the plan was divided."""
    return "none" if shard is None else f"{shard.name}, divided as {shard.split}"


def _join_statuses(statuses: tuple[Status, ...]) -> str:
    """Join the names of statuses by commas."""
    return ",".join(status.value for status in statuses)
