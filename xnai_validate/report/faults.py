"""The faults of a run, summed up: dozens of a kind are one line, and none that may still be in force is lost in it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from xnai_validate.model.results.report import FaultResult

VERIFIED, NOT_VERIFIED, IN_FORCE = "reverted, verified", "reverted, not verified", "may still be in force"


@dataclass(frozen=True, slots=True)
class FaultGroup:
    """The faults of one kind in one target that ended in one way."""

    fault: str
    target: str
    """The name of the target, or `the host`."""
    state: str
    count: int
    longest_ms: float | None
    """The longest time for which one was in force; None if none was reverted."""


def state_of(fault: FaultResult) -> str:
    """Return how a fault ended: `reverted, verified`."""
    if fault.reverted_at is None:
        return IN_FORCE
    return VERIFIED if fault.proven else NOT_VERIFIED


def fault_groups(faults: Iterable[FaultResult]) -> list[FaultGroup]:
    """Return the faults by kind, target and end: those that may still be in force first, then by name."""
    members: dict[tuple[str, str, str], list[FaultResult]] = {}
    for fault in faults:
        members.setdefault((fault.fault, fault.target or "the host", state_of(fault)), []).append(fault)
    groups = [FaultGroup(*key, len(group), _longest_ms(group)) for key, group in members.items()]
    order = (IN_FORCE, NOT_VERIFIED, VERIFIED)
    return sorted(groups, key=lambda group: (order.index(group.state), group.fault, group.target))


def _longest_ms(faults: Iterable[FaultResult]) -> float | None:
    """Return the longest time that one of the faults was in force; None if all still are."""
    lasted = [fault.reverted_ms - fault.injected_ms for fault in faults if fault.reverted_ms is not None]
    return max(lasted, default=None)
