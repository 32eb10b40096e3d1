"""Sends the loads of a run by its workers, and adds up their figures."""

from __future__ import annotations

import random
import secrets
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from xnai_validate import registry
from xnai_validate.checkers.load._generator.drive import Drive
from xnai_validate.checkers.load._generator.figures import load_figures
from xnai_validate.checkers.load._generator.parts import add_part
from xnai_validate.checkers.load._generator.runner import RUNNER, Load
from xnai_validate.checkers.load._generator.share import Division, Share
from xnai_validate.engine.attempts.vantage import VANTAGE_POINTS
from xnai_validate.kit import JsonObject, Masker, Params, Unmeasurable
from xnai_validate.plan import Plan
from xnai_validate.workers.cluster import Cluster, open_cluster
from xnai_validate.workers.divided_load import DividedLoad, Member
from xnai_validate.workers.orders import Order
from xnai_validate.workers.sender import Sender
from xnai_validate.workers.vantage_points import WorkerPoints, places_of, refuse_unknown_workers


@asynccontextmanager
async def loads_by_workers(url: str, masker: Masker, *, allow_plain: bool) -> AsyncIterator[Cluster]:
    """Send the loads of this context by workers, and measure from them. Raises ConfigError if they cannot be used.

    With `allow_plain`, secrets of a target may go to workers over connections without TLS.
    """
    async with open_cluster(url) as cluster:
        sender = Sender(cluster, masker, allow_plain=allow_plain)
        runner = RUNNER.set(WorkersRunner(cluster, sender))
        points = VANTAGE_POINTS.set(WorkerPoints(cluster, sender))
        try:
            yield cluster
        finally:
            VANTAGE_POINTS.reset(points)
            RUNNER.reset(runner)


@asynccontextmanager
async def workers_for(plan: Plan, url: str, *, allow_plain: bool) -> AsyncIterator[Mapping[str, tuple[str, ...]]]:
    """Use the workers of a url for a run of the plan, and yield which checks they measure; see `places_of`.

    Raises ConfigError if they cannot be used, or one is unknown.
    """
    async with loads_by_workers(url, Masker(plan.secrets), allow_plain=allow_plain) as cluster:
        refuse_unknown_workers(plan, cluster.workers)
        yield places_of(plan, cluster.workers)


class WorkersRunner:
    """Divides each load among all workers of the run."""

    share = Share()

    def __init__(self, cluster: Cluster, sender: Sender) -> None:
        self._cluster, self._sender = cluster, sender
        self._run = secrets.token_hex(16)

    async def run(self, load: Load) -> None:
        """Send a load; afterwards its drive holds the figures of all workers, and how it was divided.

        Raises Unmeasurable where it cannot be sent by all workers that the run began with.
        """
        if self._cluster.lost:
            lost = "; ".join(self._cluster.lost.values())
            raise Unmeasurable(f"a worker of this run was lost before: {lost}", hint="run again with other workers")
        load.drive.recorder.verify_path()
        target, params = await self._plain(load)

        def order(nonce: str, index: int, of: int, lease_s: float) -> Order:
            return Order(nonce, self._run, load.kind, params, target, index, of, lease_s)

        divided = DividedLoad(self._cluster, load, order)
        await divided.run()
        _add_up(load, divided)
        load.drive.recorder.write()

    async def _plain(self, load: Load) -> tuple[JsonObject, JsonObject]:
        """Return target and params as plain data. Raises Unmeasurable where they must not be sent."""
        name = load.ctx.target.name
        target = await self._sender.target(load.ctx.target, self._cluster.workers)
        params = self._sender.params(registry.CHECKERS.get(load.kind), _with_texts(load.params), name, target)
        return target, {**params, "stop_at": None}


def _with_texts(params: Params) -> Params:
    """The params with the prompts themselves instead of a file, which workers may not have. Raises Unmeasurable."""
    prompts: Any = getattr(params, "prompts", None)
    if prompts is None or prompts.file is None:
        return params
    texts = prompts.all(random.Random(prompts.seed))
    # Made of what is given, so that `model_dump(exclude_unset=True)` has the texts and not the file.
    given = {**prompts.model_dump(by_alias=True, exclude_unset=True, exclude={"file"}), "texts": texts}
    return params.model_copy(update={"prompts": type(prompts).model_validate(given)})


def _add_up(load: Load, divided: DividedLoad) -> None:
    """Add the parts of all workers to the drive of the load."""
    drive, members = load.drive, divided.members
    drive.set_times(divided.at)
    rows: list[JsonObject] = []
    for member in members:
        if member.part is None:
            continue
        try:
            rows.append(_row(load, divided.at, member, Share(member.index, len(members))))
            add_part(drive, member.part)
        except ValueError as error:
            member.lost = f"worker {member.worker.label} sent figures that cannot be right: {error}"
    lost = [member for member in members if member.lost is not None]
    starts = [member.begun_at for member in members if member.begun_at is not None]
    offsets = [member.offset for member in members if member.offset is not None]
    slowest: Any = max(rows, key=lambda row: float(str(row["lag_p99_ms"])), default=None)
    not_measured = sum(_count(load, Share(member.index, len(members))) for member in lost)
    drive.division = Division(
        workers=len(members),
        slowest_worker=None if slowest is None else slowest["worker"],
        start_spread_ms=(max(starts) - min(starts)) * 1000 if starts else None,
        clock_uncertainty_ms=max(offset.uncertainty_s for offset in offsets) * 1000 if offsets else None,
        lost_workers=tuple(member.worker.label for member in lost),
        not_measured_count=not_measured,
        by_worker=tuple({name: row[name] for name in row if name != "too_slow"} for row in rows),
        too_slow=any(bool(row["too_slow"]) for row in rows),
        incomplete=_incomplete(load, lost, not_measured),
    )


def _incomplete(load: Load, lost: list[Member], not_measured: int) -> str | None:
    """Return which part of the load was not measured because workers were lost; None if all of it was."""
    if not lost:
        return None
    unit = "virtual users" if load.drive.closed_loop else "arrivals"
    reasons = "; ".join(member.lost or "" for member in lost)
    return f"{reasons}; {not_measured} {unit} were not measured, and the figures are those of the other workers"


def _count(load: Load, share: Share) -> int:
    """Arrivals, or virtual users, of a share."""
    schedule = load.params.schedule()
    return share.count(load.params.lanes if schedule is None else schedule.count)


def _row(load: Load, at: float, member: Member, share: Share) -> JsonObject:
    """Return the figures of one worker. Raises ValueError if its part cannot be read, or belongs to another share.

    Args:
        load: the load that the workers divide.
        at: when all workers were to begin, on the clock of this process.
        member: the worker, with the part that it measured.
        share: the part of the load that it was to send.
    """
    alone = Drive(load.params, load.ctx)
    alone.make_tally, alone.wrong = load.drive.make_tally, load.drive.wrong
    alone.set_times(at)
    add_part(alone, member.part or {})
    figures = load_figures(alone)
    schedule, planned = load.params.schedule(), figures["planned_count"]
    if schedule is not None and schedule.randomness is None and alone.ended_because is None:
        due = share.count(schedule.count)
        if planned != due:
            raise ValueError(f"it counted {planned} arrivals, but its share of the schedule has {due}")
    assert member.offset is not None
    return {
        "worker": member.worker.label,
        "sent": figures["sent_count"],
        "answered": figures["completed_count"],
        "errors": figures["error_count"],
        "p50_ms": figures["p50_ms"],
        "p99_ms": figures["p99_ms"],
        "lag_p99_ms": figures["lag_p99_ms"],
        "own_cpu_ratio": figures["own_cpu_ratio"],
        "started_ms": None if member.begun_at is None else (member.begun_at - at) * 1000,
        "clock_offset_ms": member.offset.offset_s * 1000,
        "clock_uncertainty_ms": member.offset.uncertainty_s * 1000,
        "too_slow": figures["too_slow_client"],
    }
