"""Which checks may run now: needs, limits, and the lock of checks that run alone. Decides; starts nothing itself.

Checks are admitted in the order of the plan as soon as their needs have passed, so long as the global limit and the
limit of their target leave room. A check that runs alone waits until all others have ended, and while it waits none
that stands after it begins: neither side starves.
"""

from __future__ import annotations

import heapq
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from xnai_validate.model.results.status import Status
from xnai_validate.plan import CompiledMeasurement, Limits, PlannedCheck


@dataclass(frozen=True, slots=True)
class Cause:
    """The first check on a path of needs that did not pass, and how it ended."""

    id: str
    status: Status

    def sentence(self) -> str:
        """`needs api/health:ready, which failed`."""
        ended = {Status.ERROR: "could not be measured", Status.SKIP: "was skipped"}.get(self.status, "failed")
        return f"needs {self.id}, which {ended}"


@dataclass(frozen=True, slots=True)
class Blocked:
    """A check that cannot run, for a need of it did not pass."""

    check: PlannedCheck
    cause: Cause


def runs_alone(check: PlannedCheck) -> bool:
    """Whether nothing else may run meanwhile: asked for, disruptive, or measured by an exclusive checker.

    What puts a fault in force is always alone.
    """
    return check.exclusive or check.info.disruptive or bool(check.under) or _exclusive(check.measurement)


def _exclusive(measurement: CompiledMeasurement) -> bool:
    own = measurement.checker.exclusive or bool(measurement.fault_entries)
    return own or any(_exclusive(inner) for inner in measurement.observations.values())


class Schedule:
    """The state of every check of a plan, by its place in the plan."""

    def __init__(self, checks: Sequence[PlannedCheck], limits: Limits) -> None:
        """Raises ValueError for two checks of one id, a need that is not in the plan, or needs in a circle."""
        self._checks = checks
        self._limits = limits
        self._place = {check.id: place for place, check in enumerate(checks)}
        if len(self._place) != len(checks):
            raise ValueError("two checks of the plan have the same id")
        self._pending = [len(set(check.needs)) for check in checks]
        self._dependents: dict[int, list[int]] = defaultdict(list)
        self._link()
        self._settled = bytearray(len(checks))
        self._left = len(checks)
        self._causes: dict[int, Cause] = {}
        self._ready = [place for place, pending in enumerate(self._pending) if not pending and not checks[place].skip]
        self._parked: dict[str, list[int]] = defaultdict(list)
        self._on_target: Counter[str] = Counter()
        self._running = 0
        self._alone = False
        self._calm = True
        self._held: list[int] = []

    def _link(self) -> None:
        for place, check in enumerate(self._checks):
            for need in dict.fromkeys(check.needs):
                if need not in self._place:
                    raise ValueError(f"{check.id} needs {need}, which is not in the plan")
                self._dependents[self._place[need]].append(place)
        pending = list(self._pending)
        free = [place for place, count in enumerate(pending) if not count]
        for place in free:  # grows while it is walked
            for dependent in self._dependents.get(place, ()):
                pending[dependent] -= 1
                if not pending[dependent]:
                    free.append(dependent)
        if len(free) != len(self._checks):
            circle = sorted(self._checks[place].id for place, count in enumerate(pending) if count)
            raise ValueError(f"needs in a circle: {', '.join(circle[:10])}")

    @property
    def done(self) -> bool:
        """Whether every check has ended."""
        return not self._left

    @property
    def stalled(self) -> bool:
        """Whether only checks are left that are held back, or that need those."""
        return bool(self._held) and not self._running and not self._ready

    def admit(self) -> list[PlannedCheck]:
        """The checks that begin now, in the order of the plan; each must be given to `finish` when it ended."""
        begun: list[PlannedCheck] = []
        while self._ready and self._running < self._limits.concurrency and not self._alone:
            place = self._ready[0]
            check = self._checks[place]
            target = check.measurement.target
            if runs_alone(check):
                if self._calm and self._running:
                    break  # those that run end first, and nothing overtakes
                heapq.heappop(self._ready)
                if not self._calm:
                    self._held.append(place)
                    continue
                self._alone = True
            else:
                heapq.heappop(self._ready)
                if target is not None and self._on_target[target] >= self._limits.per_target:
                    heapq.heappush(self._parked[target], place)
                    continue
            if target is not None:
                self._on_target[target] += 1
            self._running += 1
            begun.append(check)
        return begun

    def finish(self, check: PlannedCheck, status: Status) -> list[Blocked]:
        """A check that was admitted has ended; returns those that cannot run any more because of it."""
        self._running -= 1
        self._alone = False
        target = check.measurement.target
        if target is not None:
            self._on_target[target] -= 1
            if self._parked[target]:
                heapq.heappush(self._ready, heapq.heappop(self._parked[target]))
        return self.leave_out(check, status)

    def leave_out(self, check: PlannedCheck, status: Status = Status.SKIP) -> list[Blocked]:
        """A check has its status without having been admitted; returns those that cannot run because of it."""
        place = self._place[check.id]
        if not status.passed:
            self._causes[place] = Cause(check.id, status)
        blocked: list[Blocked] = []
        ended = [place]
        self._settle(place)
        for one in ended:  # grows while it is walked
            for dependent in self._dependents.get(one, ()):
                self._pending[dependent] -= 1
                if self._pending[dependent] or self._settled[dependent] or self._checks[dependent].skip:
                    continue
                cause = self._cause(dependent)
                if cause is None:
                    heapq.heappush(self._ready, dependent)
                    continue
                self._causes[dependent] = cause
                self._settle(dependent)
                ended.append(dependent)
                blocked.append(Blocked(self._checks[dependent], cause))
        return blocked

    def _settle(self, place: int) -> None:
        self._settled[place] = 1
        self._left -= 1

    def _cause(self, place: int) -> Cause | None:
        """That of the first need, in the order they are written, that did not pass."""
        needs = (self._causes.get(self._place[need]) for need in self._checks[place].needs)
        return next((cause for cause in needs if cause is not None), None)

    def hold(self, on: bool) -> None:
        """Hold back checks that run alone (they load or disturb the stack), or let them go on."""
        self._calm = not on
        if not on:
            for place in self._held:
                heapq.heappush(self._ready, place)
            self._held.clear()

    def give_up_held(self) -> list[PlannedCheck]:
        """The checks that are held back, no longer waiting; each must be given to `leave_out`."""
        given_up = [self._checks[place] for place in sorted(self._held)]
        self._held.clear()
        return given_up
