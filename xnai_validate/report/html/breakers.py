"""The course of a circuit breaker: the fault that drove it, the state that it showed, and what became of the calls."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from pydantic import JsonValue

from xnai_validate.model.json import JsonObject
from xnai_validate.model.results.report import CheckResult, RunReport
from xnai_validate.model.units import format_ms
from xnai_validate.report.html.scale import Bar, Scale
from xnai_validate.report.lists import counted


@dataclass(frozen=True, slots=True)
class Strip:
    """One line of the figure."""

    name: str
    bars: tuple[Bar, ...]
    description: str
    """The whole line in words."""


@dataclass(frozen=True, slots=True)
class BreakerCourse:
    """What a check saw of a breaker, from the beginning of its measurement."""

    check: CheckResult
    scale: Scale
    strips: tuple[Strip, ...]


@dataclass(frozen=True, slots=True)
class _Change:
    """A change of state between two readings of the breaker, in ms since the beginning of the measurement."""

    before: str
    now: str
    after_ms: float
    before_ms: float


def breaker_courses(report: RunReport) -> Iterator[BreakerCourse]:
    """Yield the courses of the breakers of a run; one that several checks share, once."""
    seen: list[list[JsonValue]] = []
    for check in report.checks:
        facts = check.facts
        both = [facts.get("timeline"), facts.get("calls")]
        if "timeline" not in facts or not any(both) or both in seen:
            continue
        seen.append(both)
        yield _make_course(report, check)


def _make_course(report: RunReport, check: CheckResult) -> BreakerCourse:
    """Make the figure of one breaker check: strips of its faults, states and calls over time."""
    changes = [
        change for item in _objects_in(check.facts.get("timeline")) if (change := _parse_change(item)) is not None
    ]
    calls = _objects_in(check.facts.get("calls"))
    # The facts are those of the last attempt, which took `elapsed_ms` and ended when the check did.
    began_ms = (check.ended_ms or 0.0) - check.elapsed_ms
    faults = [
        (fault, fault.injected_ms - began_ms, (fault.reverted_ms or report.run.elapsed_ms) - began_ms)
        for fault in report.faults
        if fault.check == check.id and fault.injected_ms >= began_ms - 1  # times in a report are rounded
    ]
    scale = Scale(_end_ms(check.elapsed_ms, changes, calls))
    fault_bars = tuple(
        scale.bar(begin, end, "fault", f"{fault.fault} {fault.target or ''}, for {format_ms(end - begin)}")
        for fault, begin, end in faults
    )
    strips = (
        Strip("fault", fault_bars, "Faults: " + ("; ".join(bar.label for bar in fault_bars) or "none")),
        Strip("state", tuple(_states(scale, changes)), _describe_states(changes)),
        Strip("calls", tuple(_call_bars(scale, calls)), _describe_calls(calls)),
    )
    return BreakerCourse(check, scale, tuple(strip for strip in strips if strip.bars))


def _end_ms(least_ms: float, changes: Iterable[_Change], calls: Iterable[JsonObject]) -> float:
    """Return where the scale ends: after the check, the last change and the last call."""
    ends = [least_ms, *(change.before_ms for change in changes), *(_number_of(call, "to_ms") for call in calls)]
    return max(ends)


def _states(scale: Scale, changes: list[_Change]) -> Iterator[Bar]:
    """The states between the changes; the time in which a change may have happened is left open."""
    since_ms = 0.0
    for change in changes:
        yield _state_bar(scale, change.before, since_ms, change.after_ms)
        since_ms = change.before_ms
    if changes:
        yield _state_bar(scale, changes[-1].now, since_ms, scale.end_ms)


def _state_bar(scale: Scale, state: str, from_ms: float, to_ms: float) -> Bar:
    """Return the bar of a state between two times."""
    words = f"{state.replace('_', ' ')} for {format_ms(max(to_ms - from_ms, 0.0))}, from {format_ms(from_ms)} on"
    return scale.bar(from_ms, to_ms, state.replace("_", "-"), words)


def _describe_states(changes: list[_Change]) -> str:
    """Describe the changes of the state in words."""
    words = [f"{change.now.replace('_', ' ')} after {format_ms(change.before_ms)}" for change in changes]
    return f"State: {changes[0].before}, then {', '.join(words)}" if changes else "State: no change was seen"


def _call_bars(scale: Scale, calls: list[JsonObject]) -> Iterator[Bar]:
    """Yield a bar for each group of calls with the same outcome."""
    for call in calls:
        outcome, count = str(call.get("outcome")), int(_number_of(call, "count"))
        words = f"{counted(count, 'call')} {outcome}, from {format_ms(_number_of(call, 'from_ms'))} on"
        yield scale.bar(_number_of(call, "from_ms"), _number_of(call, "to_ms"), outcome, words)


def _describe_calls(calls: list[JsonObject]) -> str:
    """Describe the calls in words."""
    words = [f"{int(_number_of(call, 'count'))} {call.get('outcome')}" for call in calls]
    return "Calls in order: " + ", ".join(words[:40])


def _parse_change(item: JsonObject) -> _Change | None:
    """Parse a change of the time line, `closed->open`; None if it is not a change."""
    before, arrow, now = str(item.get("change")).partition("->")
    if not arrow:
        return None
    return _Change(before, now, _number_of(item, "after_ms"), _number_of(item, "before_ms"))


def _objects_in(value: JsonValue) -> list[JsonObject]:
    """Return the JSON objects in a list."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _number_of(item: JsonObject, name: str) -> float:
    """Return a number of an object; 0 if it is absent."""
    value = item.get(name)
    return float(value) if isinstance(value, int | float) else 0.0
