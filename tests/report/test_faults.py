"""The faults of a run, summed up."""

from __future__ import annotations

from xnai_validate.model.results.report import FaultResult
from xnai_validate.report.faults import FaultGroup, fault_groups


def fault(target: str | None, lasted_ms: float | None, *, proven: bool = True) -> FaultResult:
    """A fault that was in force for a time; None if it may still be."""
    at = None if lasted_ms is None else "2026-11-30T08:00:01Z"
    ends = None if lasted_ms is None else 100.0 + lasted_ms
    return FaultResult(
        fault="process.pause", target=target, injected_at="2026-11-30T08:00:00Z", reverted_at=at, proven=proven,
        injected_ms=100.0, reverted_ms=ends,
    )  # fmt: skip


def test_faults_that_ended_alike_are_one_group_and_those_in_force_come_first() -> None:
    """With their number and the longest time; another target or end is another group."""
    faults = [fault("llm", 10.0), fault("llm", 30.0), fault("llm", None, proven=False), fault(None, 5.0, proven=False)]
    assert fault_groups(faults) == [
        FaultGroup("process.pause", "llm", "may still be in force", 1, None),
        FaultGroup("process.pause", "the host", "reverted, not verified", 1, 5.0),
        FaultGroup("process.pause", "llm", "reverted, verified", 2, 30.0),
    ]
