"""Which checks may start now: needs, limits, and the lock of checks that run alone.

A check starts as soon as its needs have passed and the checks that it comes `after` have ended, so long as the global
limit and the limit of its target leave room. Of several, the one that the longest chain of other checks waits for is
first; a check's time limit stands for its length. Checks that run alone come in the order of the plan, each when no
other check runs and none can start. Checks that run alone and name the same group (`together`) run at the same time.
"""

from __future__ import annotations

import heapq
from collections import Counter, defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from xnai_validate.model.results.status import Status
from xnai_validate.plan import Limits, PlannedCheck

_ENDS = {
    Status.ERROR: "could not be measured",
    Status.SKIP: "was skipped",
    Status.WAIVED: "failed (waived)",
}


@dataclass(frozen=True, slots=True)
class Cause:
    """The first check on a path of needs that did not pass, and how it ended."""

    id: str
    status: Status

    def sentence(self) -> str:
        """`needs api/health:ready, which failed`."""
        ended = _ENDS.get(self.status, "failed")
        return f"needs {self.id}, which {ended}"


class Blocked(NamedTuple):
    """A check that cannot run because one of its needs did not pass."""

    check: PlannedCheck
    cause: Cause


class Schedule:
    """The state of every check of a plan, by its index in the plan."""

    def __init__(self, checks: Sequence[PlannedCheck], limits: Limits, ended: Collection[str] = ()) -> None:
        """`ended` are ids of checks that do not start, since their results are known: `leave_out` is called for each.

        Raises ValueError for two checks with one id, a need that is not in the plan, or needs that form a cycle.
        """
        self._ended = frozenset(ended)
        self._checks = checks
        self._limits = limits
        self._index = {check.id: index for index, check in enumerate(checks)}
        if len(self._index) != len(checks):
            raise ValueError("two checks of the plan have the same id")
        self._pending = [len(self._before(check)) for check in checks]
        """By index: the checks before it that have not ended."""
        self._dependents: dict[int, list[int]] = defaultdict(list)
        self._link()
        self._settled = bytearray(len(checks))
        self._left = len(checks)
        self._causes: dict[int, Cause] = {}
        self._lengths = self._chain_lengths()
        self._ready: list[tuple[float, int]] = []
        """The checks that may share the stack: (minus the length of the chain, index), as a heap."""
        self._ready_alone: list[int] = []
        """The checks that run alone, as a heap."""
        self._parked: dict[str, list[tuple[float, int]]] = defaultdict(list)
        """Target -> ready checks, as in `_ready`, that wait because enough others run on it."""
        self._on_target: Counter[str] = Counter()
        self._running = 0
        self._alone: PlannedCheck | None = None
        """A running check that runs alone."""
        self._holding = False
        """Whether checks that run alone are held back."""
        self._held: list[int] = []
        """The checks that are held back."""
        for index, pending in enumerate(self._pending):
            if not pending and not self._never_starts(index):
                self._make_ready(index)

    def _never_starts(self, index: int) -> bool:
        """Whether a check is skipped or has ended already."""
        check = self._checks[index]
        return check.skip is not None or check.id in self._ended

    def _make_ready(self, index: int) -> None:
        """Put a check, whose needs are met, into the queue of those that may start."""
        if self._checks[index].runs_alone:
            heapq.heappush(self._ready_alone, index)
        else:
            heapq.heappush(self._ready, (-self._lengths[index], index))

    def _chain_lengths(self) -> list[float]:
        """The seconds of the longest chain of checks that begins with each check; those that run alone have 0."""
        lengths = [0.0 if check.runs_alone else check.timeout_s for check in self._checks]
        for index in reversed(self._order):
            waiting = [lengths[dependent] for dependent in self._dependents.get(index, ())]
            if waiting:  # else the number is kept, which thousands of checks share
                lengths[index] += max(waiting)
        return lengths

    def _link(self) -> None:
        """Fill `_dependents`, and `_order` with a topological order (Kahn). Raises ValueError as `__init__` does."""
        for index, check in enumerate(self._checks):
            for need in check.needs:
                if need not in self._index:
                    raise ValueError(f"{check.id} needs {need}, which is not in the plan")
            for before in self._before(check):
                self._dependents[self._index[before]].append(index)
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
        self._order = free

    def _before(self, check: PlannedCheck) -> list[str]:
        """The ids of the checks that end before a check starts, each once: its needs, then its `after`."""
        known = (before for before in check.after if before in self._index)
        return list(dict.fromkeys((*check.needs, *known)))

    @property
    def done(self) -> bool:
        """Whether every check has ended."""
        return not self._left

    @property
    def stalled(self) -> bool:
        """Whether the only checks left are held back, or need one that is."""
        return bool(self._held) and not self._running and not self._ready and not self._ready_alone

    def admit(self) -> list[PlannedCheck]:
        """The checks that start now, in order; `finish` must be called for each when it has ended."""
        started: list[PlannedCheck] = []
        if self._alone is None:
            while self._ready and self._running < self._limits.concurrency:
                entry = heapq.heappop(self._ready)
                check = self._checks[entry[1]]
                target = check.measurement.target
                if target is not None and self._on_target[target] >= self._limits.per_target:
                    heapq.heappush(self._parked[target], entry)
                    continue
                started.append(self._count_started(entry[1]))
        if self._holding:
            self._held += self._ready_alone
            self._ready_alone.clear()
        elif self._ready_alone and not self._running:
            self._alone = self._count_started(heapq.heappop(self._ready_alone))
            started += (self._alone, *self._start_others_of_group(self._alone))
        return started

    def _start_others_of_group(self, alone: PlannedCheck) -> list[PlannedCheck]:
        """Take from the queue the checks of the same `together` group that start with it, and start them."""
        if alone.together is None:
            return []
        group = [index for index in sorted(self._ready_alone) if self._checks[index].together == alone.together]
        group = group[: self._limits.concurrency - self._running]
        self._ready_alone = [index for index in self._ready_alone if index not in group]
        heapq.heapify(self._ready_alone)
        return [self._count_started(index) for index in group]

    def _count_started(self, index: int) -> PlannedCheck:
        """Count a check as running, on its target too, and return it."""
        check = self._checks[index]
        if check.measurement.target is not None:
            self._on_target[check.measurement.target] += 1
        self._running += 1
        return check

    def finish(self, check_id: str, status: Status) -> list[Blocked]:
        """Note that a started check has ended; return the checks that cannot run any more because of it."""
        self._running -= 1
        if not self._running:
            self._alone = None
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
                if self._pending[dependent] or self._settled[dependent] or self._never_starts(dependent):
                    continue
                cause = self._cause(dependent)
                if cause is None:
                    self._make_ready(dependent)
                    continue
                self._causes[dependent] = cause
                self._settle(dependent)
                ended.append(dependent)
                blocked.append(Blocked(self._checks[dependent], cause))
        return blocked

    def _settle(self, index: int) -> None:
        """Mark a check as finished or never to start."""
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
                self._make_ready(index)
            self._held.clear()

    def give_up_held(self) -> list[PlannedCheck]:
        """The checks that were held back and no longer wait; `leave_out` must be called for each."""
        given_up = [self._checks[index] for index in sorted(self._held)]
        self._held.clear()
        return given_up
