"""Which checks may start now: needs, limits, and the lock of checks that run alone.

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
from xnai_validate.plan import Limits, PlannedCheck


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
    """A check that cannot run because one of its needs did not pass."""

    check: PlannedCheck
    cause: Cause


class Schedule:
    """The state of every check of a plan, by its index in the plan."""

    def __init__(self, checks: Sequence[PlannedCheck], limits: Limits) -> None:
        """Raises ValueError for two checks with one id, a need that is not in the plan, or needs that form a cycle."""
        self._checks = checks
        self._limits = limits
        self._index = {check.id: index for index, check in enumerate(checks)}
        if len(self._index) != len(checks):
            raise ValueError("two checks of the plan have the same id")
        self._pending = [len(set(check.needs)) for check in checks]
        self._dependents: dict[int, list[int]] = defaultdict(list)
        self._link()
        self._settled = bytearray(len(checks))
        self._left = len(checks)
        self._causes: dict[int, Cause] = {}
        self._ready = [index for index, pending in enumerate(self._pending) if not pending and not checks[index].skip]
        self._parked: dict[str, list[int]] = defaultdict(list)
        self._on_target: Counter[str] = Counter()
        self._running = 0
        self._alone = False
        self._holding = False
        self._held: list[int] = []

    def _link(self) -> None:
        for index, check in enumerate(self._checks):
            for need in dict.fromkeys(check.needs):
                if need not in self._index:
                    raise ValueError(f"{check.id} needs {need}, which is not in the plan")
                self._dependents[self._index[need]].append(index)
        pending = list(self._pending)
        free = [index for index, count in enumerate(pending) if not count]
        for index in free:  # grows during the loop
            for dependent in self._dependents.get(index, ()):
                pending[dependent] -= 1
                if not pending[dependent]:
                    free.append(dependent)
        if len(free) != len(self._checks):
            cycle = sorted(self._checks[index].id for index, count in enumerate(pending) if count)
            raise ValueError(f"needs form a cycle: {', '.join(cycle[:10])}")

    @property
    def done(self) -> bool:
        """Whether every check has ended."""
        return not self._left

    @property
    def stalled(self) -> bool:
        """Whether the only checks left are held back, or need one that is."""
        return bool(self._held) and not self._running and not self._ready

    def admit(self) -> list[PlannedCheck]:
        """The checks that start now, in order; `finish` must be called for each when it has ended."""
        begun: list[PlannedCheck] = []
        while self._ready and self._running < self._limits.concurrency and not self._alone:
            index = self._ready[0]
            check = self._checks[index]
            target = check.measurement.target
            if check.runs_alone:
                if not self._holding and self._running:
                    break  # the running checks end first, and no later check overtakes this one
                heapq.heappop(self._ready)
                if self._holding:
                    self._held.append(index)
                    continue
                self._alone = True
            else:
                heapq.heappop(self._ready)
                if target is not None and self._on_target[target] >= self._limits.per_target:
                    heapq.heappush(self._parked[target], index)
                    continue
            if target is not None:
                self._on_target[target] += 1
            self._running += 1
            begun.append(check)
        return begun

    def finish(self, check_id: str, status: Status) -> list[Blocked]:
        """Note that a started check has ended; return the checks that cannot run any more because of it."""
        self._running -= 1
        self._alone = False
        target = self._checks[self._index[check_id]].measurement.target
        if target is not None:
            self._on_target[target] -= 1
            if self._parked[target]:
                heapq.heappush(self._ready, heapq.heappop(self._parked[target]))
        return self.leave_out(check_id, status)

    def leave_out(self, check_id: str, status: Status = Status.SKIP) -> list[Blocked]:
        """Note the status of a check that was not started; return the checks that cannot run because of it."""
        index = self._index[check_id]
        if not status.passed:
            self._causes[index] = Cause(check_id, status)
        blocked: list[Blocked] = []
        ended = [index]
        self._settle(index)
        for settled in ended:  # grows during the loop
            for dependent in self._dependents.get(settled, ()):
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

    def _settle(self, index: int) -> None:
        self._settled[index] = 1
        self._left -= 1

    def _cause(self, index: int) -> Cause | None:
        """The cause of the first need, in the order of the file, that did not pass."""
        needs = (self._causes.get(self._index[need]) for need in self._checks[index].needs)
        return next((cause for cause in needs if cause is not None), None)

    def hold(self, on: bool) -> None:
        """Hold back the checks that run alone (they load or disturb the stack), or release them."""
        self._holding = on
        if not on:
            for index in self._held:
                heapq.heappush(self._ready, index)
            self._held.clear()

    def give_up_held(self) -> list[PlannedCheck]:
        """The checks that were held back and no longer wait; `leave_out` must be called for each."""
        given_up = [self._checks[index] for index in sorted(self._held)]
        self._held.clear()
        return given_up
