"""The part of a run that an earlier process measured, read from its journal, so that this one measures the rest."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from xnai_validate.engine.events.plan_identity import identity_of
from xnai_validate.errors import XnaiError
from xnai_validate.model.results.events import (
    CheckFinished,
    Event,
    FaultInjected,
    FaultReverted,
    RunFinished,
    RunStarted,
)
from xnai_validate.model.results.plan_identity import differences as identity_differences
from xnai_validate.model.results.status import Status
from xnai_validate.plan import Plan

NAMED = 10
"""The most ids that a message names."""


CarriedOver = CheckFinished | FaultInjected | FaultReverted
"""The events of an interrupted run that a later one repeats."""


@dataclass(frozen=True, slots=True)
class Resumed:
    """What a run takes over from the interrupted run that it finishes."""

    run_id: str | None = None
    """The id of the interrupted run; None for a run that measures everything itself."""
    ids: frozenset[str] = frozenset()
    """The full ids of the checks whose results are taken over."""
    events: tuple[CarriedOver, ...] = ()
    """Their faults, then their results, in the order in which they were measured."""


NOT_RESUMED = Resumed()


@dataclass(slots=True)
class EarlierPart:
    """What a journal holds of a run that did not reach its end."""

    started: RunStarted
    finished: dict[str, CheckFinished] = field(default_factory=dict)
    """Full id -> the result of a check that was attempted and judged."""
    faults: list[FaultInjected | FaultReverted] = field(default_factory=list)
    end: RunFinished | None = None
    """None for a run that was killed."""

    @property
    def run_id(self) -> str:
        """The id of the run."""
        return self.started.run.id

    @property
    def is_whole(self) -> bool:
        """Whether the run reached the end of its plan, so that nothing is left to measure."""
        return self.end is not None and self.end.stopped is None

    def differences(self, plan: Plan) -> list[str]:
        """Return how a plan differs from that of the interrupted run, a sentence each.

        Raises XnaiError if the journal does not record that plan."""
        identity = self.started.plan
        if identity is None:
            raise XnaiError(f"the run {self.run_id} was made by a version whose runs cannot be resumed")
        before, now = {info.id for info in self.started.checks}, {check.id for check in plan.checks}
        changes = [
            f"{label}: {', '.join(sorted(ids)[:NAMED])}{', ...' if len(ids) > NAMED else ''}"
            for label, ids in (
                ("checks that are not selected now", before - now),
                ("checks that are new now", now - before),
            )
            if ids
        ]
        if self.started.run.profiles != plan.profiles:  # then the checks differ anyway
            changes = [f"profiles: {' '.join(self.started.run.profiles)} before, {' '.join(plan.profiles)} now"]
        return changes or identity_differences(identity, identity_of(plan))

    def resumed(self, plan: Plan) -> Resumed:
        """Return what a run of the same plan takes over: the results that stay as they are, and the faults of them.

        A check whose needs must be measured anew is measured anew too.
        """
        needs = {check.id: check.needs for check in plan.checks if check.skip is None}
        kept = {check_id: event for check_id, event in self.finished.items() if check_id in needs}
        while anew := [check_id for check_id in kept if not all(need in kept for need in needs[check_id])]:
            for check_id in anew:
                del kept[check_id]
        undo = {event.undo for event in self.faults if isinstance(event, FaultInjected) and event.check in kept}
        faults = [event for event in self.faults if event.undo in undo]
        return Resumed(self.run_id, frozenset(kept), (*faults, *kept.values()))


def earlier_part(events: Iterable[Event]) -> EarlierPart:
    """Return the part of a run that its journal holds. Raises XnaiError if the journal has no beginning."""
    iterator = iter(events)
    started = next(iterator, None)
    if not isinstance(started, RunStarted):
        raise XnaiError("the journal has no beginning, so its run cannot be resumed")
    part = EarlierPart(started)
    for event in iterator:
        if isinstance(event, CheckFinished):
            if event.attempts and event.status is not Status.ERROR and event.blocked_by is None:
                part.finished[event.id] = event
        elif isinstance(event, FaultInjected | FaultReverted):
            part.faults.append(event)
        elif isinstance(event, RunFinished):
            part.end = event
    return part
