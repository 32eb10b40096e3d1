"""The time line of a run: its checks by category, the faults in force, and how the stack recovered from them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from xnai_validate.model.results.report import CheckResult, FaultResult, RunReport
from xnai_validate.model.results.status import Status
from xnai_validate.model.units import format_ms
from xnai_validate.report.html.scale import Bar, Scale
from xnai_validate.report.lists import counted

LANES = 4
"""Lines of a row at most; where more checks run at once, bars overlap."""
LANE_PX, BAR_PX = 10, 8
CHECKS = 2_000
"""Checks that have a bar; of the later ones of a longer run, only those that did not pass."""
_SHORTEST = 0.2
"""Percent of the width that a bar takes in its line: those beside it begin no nearer."""


@dataclass(frozen=True, slots=True)
class Row:
    """A category, or the faults."""

    name: str
    bars: tuple[Bar, ...]
    description: str
    """The whole row in words."""

    @property
    def height(self) -> int:
        """Pixels of its lines."""
        return LANE_PX * (1 + max((bar.lane for bar in self.bars), default=0))


@dataclass(frozen=True, slots=True)
class TimeLine:
    """A run from its beginning to its end."""

    scale: Scale
    faults: Row | None
    rows: tuple[Row, ...]
    bands: tuple[Bar, ...]
    """The times with a fault in force, behind the bars of every row."""

    @property
    def key(self) -> list[tuple[str, str]]:
        """The colours of the bars, and what they mean."""
        styles = {bar.style for row in self.rows for bar in row.bars}
        faults = {bar.style for bar in self.faults.bars} if self.faults else set()
        words = {"fault": "fault in force", "fault unproven": "fault, revert not verified", "recovery": "recovering"}
        return [(style.value, style.value) for style in Status if style.value in styles] + [
            (style, word) for style, word in words.items() if style in faults
        ]


def time_line(report: RunReport) -> TimeLine | None:
    """Return the time line of a run; None if no check has a time, as in the journal of an older version."""
    shown = [
        check
        for number, check in enumerate(report.checks)
        if check.began_ms is not None and (number < CHECKS or check.status is not Status.PASS)
    ]
    if not shown:
        return None
    scale = Scale(max(report.run.elapsed_ms, *(check.ended_ms or 0.0 for check in shown)))
    categories: dict[str, list[CheckResult]] = {}
    for check in shown:
        categories.setdefault(check.category, []).append(check)
    bands = [_fault_bar(scale, fault, "band", 0) for fault in report.faults]
    rows = tuple(_category_row(scale, name, members) for name, members in categories.items())
    return TimeLine(scale, _fault_row(scale, report), rows, tuple(bands))


def _category_row(scale: Scale, name: str, checks: Sequence[CheckResult]) -> Row:
    """Return the row of a category: a bar for each check, overlapping ones in lanes."""
    ordered = sorted(checks, key=lambda check: check.began_ms or 0.0)
    spans = [(check.began_ms or 0.0, check.ended_ms or 0.0) for check in ordered]
    bars = [
        scale.bar(*span, check.status.value, _check_label(check), lane)
        for check, span, lane in zip(ordered, spans, _lanes(scale, spans), strict=True)
    ]
    # What did not pass lies above what did, where the two overlap.
    bars.sort(key=lambda bar: bar.style != Status.PASS.value)
    counts = Counter(check.status.value for check in checks)
    words = ", ".join(f"{count} {status}" for status, count in counts.items())
    between = f"from {format_ms(spans[0][0])} to {format_ms(max(end for _, end in spans))} of the run"
    return Row(name, tuple(bars), f"{name}: {counted(len(checks), 'check')} {between}: {words}")


def _check_label(check: CheckResult) -> str:
    """Return the label of a check's bar."""
    took = format_ms((check.ended_ms or 0.0) - (check.began_ms or 0.0))
    return f"{check.title} ({check.id}): {check.status.value}, {took} from {format_ms(check.began_ms or 0.0)} on"


def _lanes(scale: Scale, spans: Iterable[tuple[float, float]]) -> Iterator[int]:
    """The line of each of the spans, which are in the order of their beginning: the first that is free."""
    free = [0.0] * LANES
    for begin, end in spans:
        place = scale.place(begin)
        lane = next((lane for lane, at in enumerate(free) if at <= place), free.index(min(free)))
        free[lane] = max(scale.place(end), place + _SHORTEST)
        yield lane


def _fault_row(scale: Scale, report: RunReport) -> Row | None:
    """Return the row of the faults, each with the recovery after it; None without faults."""
    if not report.faults:
        return None
    checks = {check.id: check for check in report.checks}
    bars: list[Bar] = []
    courses = sorted(zip(report.faults, _recoveries(report.faults, checks), strict=True), key=_injected_ms)
    spans = [(fault.injected_ms, max(_end_ms(scale, fault), again)) for fault, again in courses]
    for (fault, again), lane in zip(courses, _lanes(scale, spans), strict=True):
        bars.append(_fault_bar(scale, fault, "fault" if fault.proven else "fault unproven", lane))
        if fault.reverted_ms is not None and again > fault.reverted_ms:
            took = format_ms(again - fault.reverted_ms)
            bars.append(
                scale.bar(fault.reverted_ms, again, "recovery", f"{_fault_name(fault)}: steady after {took}", lane)
            )
    words = "; ".join(bar.label for bar in bars[:40])
    return Row("faults", tuple(bars), f"{counted(len(report.faults), 'fault')} in force: {words}")


def _injected_ms(course: tuple[FaultResult, float]) -> float:
    """Return when the fault of a pair was injected, by which pairs are sorted."""
    return course[0].injected_ms


def _end_ms(scale: Scale, fault: FaultResult) -> float:
    """Return the end of a fault; the end of the scale if it is not reverted."""
    return scale.end_ms if fault.reverted_ms is None else fault.reverted_ms


def _fault_bar(scale: Scale, fault: FaultResult, style: str, lane: int) -> Bar:
    """Return the bar of a fault while it was in force."""
    end = fault.reverted_ms
    held = "may still be in force" if end is None else f"in force for {format_ms(end - fault.injected_ms)}"
    label = f"{_fault_name(fault)}: {held}, from {format_ms(fault.injected_ms)} on"
    return scale.bar(fault.injected_ms, _end_ms(scale, fault), style, label, lane)


def _fault_name(fault: FaultResult) -> str:
    """Return the name of a fault and of its target."""
    return f"{fault.fault} {fault.target}" if fault.target else fault.fault


def _recoveries(faults: Sequence[FaultResult], checks: dict[str, CheckResult]) -> list[float]:
    """Of each fault, when the stack was steady again after its revert; 0 where the check has not measured that.

    A check with several situations measures a recovery for each of its faults, in their order.
    """
    recoveries: list[float] = []
    before: Counter[str] = Counter()
    for fault in faults:
        check = checks.get(fault.check or "")
        if check is None or fault.reverted_ms is None:
            recoveries.append(0.0)
            continue
        took_ms = _recovery_ms(check, before[check.id])
        before[check.id] += 1
        end_ms = check.ended_ms if check.ended_ms is not None else fault.reverted_ms
        recoveries.append(min(fault.reverted_ms + took_ms, end_ms))
    return recoveries


def _recovery_ms(check: CheckResult, number: int) -> float:
    """Return how long the stack took to recover from the fault of this number in a check."""
    whole = check.facts.get("recovered_ms")
    if isinstance(whole, int | float):
        return float(whole)
    cells = check.facts.get("cells")
    if not isinstance(cells, list):
        return 0.0
    situations: dict[object, float] = {}
    for cell in cells:
        if isinstance(cell, dict) and isinstance(took := cell.get("recovered_ms"), int | float):
            name = str(cell.get("situation"))
            situations[name] = max(situations.get(name, 0.0), float(took))
    times = list(situations.values())
    return times[number] if number < len(times) else 0.0
