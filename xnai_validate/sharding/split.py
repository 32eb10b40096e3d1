"""Which check of a plan counts in which shard: by how long checks take, with those kept together that belong together.

A check that many others need, such as "the API answers", would tie all of them to one shard. So it is measured in each
shard that has a check which needs it, and counts in one. What runs alone (a load, a fault) is measured once: the checks
that need it stay with it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from graphlib import TopologicalSorter

from xnai_validate.durations import Forecast
from xnai_validate.plan import Plan, PlannedCheck

LEAST_MS = 10
"""What a check costs at least: thousands that take next to no time are divided by their number."""


@dataclass(frozen=True, slots=True)
class Split:
    """A plan in shards."""

    shares: tuple[frozenset[str], ...]
    """By shard: the full ids of the checks that count in it; each check counts in exactly one."""
    measured: tuple[frozenset[str], ...]
    """By shard: its share and everything that this needs."""
    costs_ms: tuple[int, ...]
    """By shard: how long it takes."""


def split(plan: Plan, count: int, known_s: Mapping[str, float]) -> Split:
    """Divide a plan into `count` shards. The same arguments give the same shards on every machine.

    The chain that takes longest comes first, each to the shard that is then the shortest. So the longest shard takes at
    most an `count`th of all shards together, and the longest chain more.

    Args:
        plan: the whole plan.
        count: the number of shards.
        known_s: full id -> seconds that a check takes; its own params stand for those that are not named.
    """
    costs_ms = _estimate_costs_ms(plan, known_s)
    needs = {check.id: check.needs for check in plan.checks}
    order = {check_id: place for place, check_id in enumerate(needs)}
    chains = _find_chains(plan)
    total_ms = {ids: sum(costs_ms[check_id] for check_id in with_needs(ids, needs)) for ids in chains}
    shares: list[set[str]] = [set() for _ in range(count)]
    measured: list[set[str]] = [set() for _ in range(count)]
    load_ms = [0] * count
    for ids in sorted(chains, key=lambda ids: (-total_ms[ids], order[ids[0]])):
        chain = with_needs(ids, needs)  # computed again: the sets of a long ladder of needs are too large to keep
        more_ms = [sum(costs_ms[check_id] for check_id in chain - known) for known in measured]
        best = min(range(count), key=lambda number: (load_ms[number] + more_ms[number], len(shares[number]), number))
        load_ms[best] += more_ms[best]
        shares[best].update(ids)
        measured[best] |= chain
    return Split(tuple(map(frozenset, shares)), tuple(map(frozenset, measured)), tuple(load_ms))


def with_needs(ids: Iterable[str], needs: Mapping[str, Sequence[str]]) -> frozenset[str]:
    """Return the ids and those of all checks that they need, directly or not; `needs` are those of each check."""
    ids_with_needs = set(ids)
    pending = list(ids_with_needs)
    while pending:
        new = [need for need in needs[pending.pop()] if need not in ids_with_needs]
        ids_with_needs.update(new)
        pending += new
    return frozenset(ids_with_needs)


def _estimate_costs_ms(plan: Plan, known_s: Mapping[str, float]) -> dict[str, int]:
    """Full id -> what a check adds to the duration of a run, in whole milliseconds: sums of floats depend on order."""
    known = {check.id: known_s[check.id] for check in plan.checks if check.id in known_s}
    seconds = Forecast(plan.checks, plan.limits, known, plan.steady).expected().by_check
    costs_ms: dict[str, int] = {}
    longest: dict[str, str] = {}
    for check in plan.checks:
        costs_ms[check.id] = 0 if check.skip is not None else max(LEAST_MS, round(1000 * seconds.get(check.id, 0.0)))
        group = _find_group(check)
        if group is None:
            continue
        # The checks of a group run at the same time, so that only the longest of them takes time.
        other = longest.setdefault(group, check.id)
        if other != check.id:
            costs_ms[other], costs_ms[check.id] = max(costs_ms[other], costs_ms[check.id]), 0
    return costs_ms


def _find_group(check: PlannedCheck) -> str | None:
    """Return the group with which a check runs at the same time, if it has one and is not skipped."""
    return check.together if check.runs_alone and check.skip is None else None


def _find_chains(plan: Plan) -> tuple[tuple[str, ...], ...]:
    """Return the ids of the checks that stay together, in the order of the plan; each check is in exactly one chain."""
    checks = {check.id: check for check in plan.checks}
    dependents = Counter(need for check in plan.checks for need in check.needs)
    once: set[str] = set()
    families = _Families({check_id: check_id for check_id in checks})
    firsts: dict[object, str] = {}
    for check_id in TopologicalSorter({check.id: check.needs for check in plan.checks}).static_order():
        check = checks[check_id]
        kept = [need for need in check.needs if need in once or dependents[need] == 1]
        if not once.isdisjoint(kept) or (check.runs_alone and check.skip is None):
            once.add(check.id)
        for other in (*kept, *(before for before in check.after if before in checks)):
            families.join(check.id, other)
        for key in _list_keys(check):
            families.join(check.id, firsts.setdefault(key, check.id))
    return families.members()


def _list_keys(check: PlannedCheck) -> Iterable[object]:
    """Return the keys that a check shares with those that stay in its shard."""
    if check.skip is not None:
        return
    if check.faults or check.info.disruptive:
        yield "disturbs the stack"  # one key for all of these, so only one shard disturbs it
    if (group := _find_group(check)) is not None:
        yield "runs together", group
    measurement = check.measurement
    if measurement.waits.shared is not None and not check.under:
        yield "is measured once", measurement.waits.shared, measurement.params.model_dump_json(), measurement.target


@dataclass(slots=True)
class _Families:
    """Groups that grow together (union-find); the first check of a group stands for it."""

    parents: dict[str, str]
    """Id -> an id of its group that is nearer to the first; that one stands for itself."""

    def _find_root(self, check_id: str) -> str:
        """Return the id that stands for the group of a check, and shorten the way to it."""
        while (parent := self.parents[check_id]) != check_id:
            self.parents[check_id] = self.parents[parent]
            check_id = parent
        return check_id

    def join(self, check_id: str, other_id: str) -> None:
        """Make the groups of two checks the same group."""
        self.parents[self._find_root(check_id)] = self._find_root(other_id)

    def members(self) -> tuple[tuple[str, ...], ...]:
        """Return the groups, in the order of their first checks."""
        groups: dict[str, list[str]] = {}
        for check_id in self.parents:
            groups.setdefault(self._find_root(check_id), []).append(check_id)
        return tuple(map(tuple, groups.values()))
