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
        yield _course(report, check)


def _course(report: RunReport, check: CheckResult) -> BreakerCourse:
    changes = [change for item in _objects(check.facts.get("timeline")) if (change := _change(item)) is not None]
    calls = _objects(check.facts.get("calls"))
    # The last attempt has the facts.
    began_ms = (check.ended_ms or 0.0) - check.elapsed_ms
    faults = [
        (fault, fault.injected_ms - began_ms, (fault.reverted_ms or report.run.elapsed_ms) - began_ms)
        for fault in report.faults
        if fault.check == check.id and fault.injected_ms >= began_ms - 1
    ]
    scale = Scale(_end_ms(check.elapsed_ms, changes, calls))
    held = tuple(
        scale.bar(begin, end, "fault", f"{fault.fault} {fault.target or ''}, for {format_ms(end - begin)}")
        for fault, begin, end in faults
    )
    strips = (
        Strip("fault", held, "Faults: " + ("; ".join(bar.label for bar in held) or "none")),
        Strip("state", tuple(_states(scale, changes)), _state_words(changes)),
        Strip("calls", tuple(_calls(scale, calls)), _call_words(calls)),
    )
    return BreakerCourse(check, scale, tuple(strip for strip in strips if strip.bars))


def _end_ms(least_ms: float, changes: Iterable[_Change], calls: Iterable[JsonObject]) -> float:
    ends = [least_ms, *(change.before_ms for change in changes), *(_number(call, "to_ms") for call in calls)]
    return max(ends)


def _states(scale: Scale, changes: list[_Change]) -> Iterator[Bar]:
    """The states between the changes; the time in which a change may have happened is left open."""
    since_ms = 0.0
    for change in changes:
        yield _state(scale, change.before, since_ms, change.after_ms)
        since_ms = change.before_ms
    if changes:
        yield _state(scale, changes[-1].now, since_ms, scale.end_ms)


def _state(scale: Scale, state: str, from_ms: float, to_ms: float) -> Bar:
    words = f"{state.replace('_', ' ')} for {format_ms(max(to_ms - from_ms, 0.0))}, from {format_ms(from_ms)} on"
    return scale.bar(from_ms, to_ms, state.replace("_", "-"), words)


def _state_words(changes: list[_Change]) -> str:
    words = [f"{change.now.replace('_', ' ')} after {format_ms(change.before_ms)}" for change in changes]
    return f"State: {changes[0].before}, then {', '.join(words)}" if changes else "State: no change was seen"


def _calls(scale: Scale, calls: list[JsonObject]) -> Iterator[Bar]:
    for call in calls:
        outcome, count = str(call.get("outcome")), int(_number(call, "count"))
        words = f"{counted(count, 'call')} {outcome}, from {format_ms(_number(call, 'from_ms'))} on"
        yield scale.bar(_number(call, "from_ms"), _number(call, "to_ms"), outcome, words)


def _call_words(calls: list[JsonObject]) -> str:
    words = [f"{int(_number(call, 'count'))} {call.get('outcome')}" for call in calls]
    return "Calls in order: " + ", ".join(words[:40])


def _change(item: JsonObject) -> _Change | None:
    before, arrow, now = str(item.get("change")).partition("->")
    if not arrow:
        return None
    return _Change(before, now, _number(item, "after_ms"), _number(item, "before_ms"))


def _objects(value: JsonValue) -> list[JsonObject]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _number(item: JsonObject, name: str) -> float:
    value = item.get(name)
    return float(value) if isinstance(value, int | float) else 0.0
