"""The course of a breaker: fault, states, calls."""

from __future__ import annotations

import json

from tests.report.pictured import BREAKER, pictured
from tests.report.runs import Script
from xnai_validate.model.results.report_builder import build_report
from xnai_validate.report.html.breakers import BreakerCourse, breaker_courses


def course() -> BreakerCourse:
    """The course of the run with all figures."""
    [found] = breaker_courses(build_report(pictured()))
    return found


def test_states_last_from_change_to_change() -> None:
    """What may have been one or the other is left open: a change happens between two readings."""
    [state] = [strip for strip in course().strips if strip.name == "state"]
    assert [bar.style for bar in state.bars] == ["closed", "open", "half-open"]
    assert [bar.label for bar in state.bars][1] == "open for 390 ms, from 310 ms on"
    assert state.description == "State: closed, then open after 310 ms, half open after 800 ms"


def test_calls_are_drawn_in_runs_of_one_outcome() -> None:
    """Three failures open it, twelve calls are refused, one is let through."""
    [calls] = [strip for strip in course().strips if strip.name == "calls"]
    assert [bar.style for bar in calls.bars] == ["failed", "refused", "succeeded"]
    assert calls.description == "Calls in order: 3 failed, 12 refused, 1 succeeded"


def test_faults_of_other_checks_are_no_part_of_it() -> None:
    """Each course has the faults that its own check injected, from the beginning of that check."""
    [fault] = [bar for strip in course().strips if strip.name == "fault" for bar in strip.bars]
    assert fault.label == "process.pause llm, for 100 ms"


def test_one_measurement_that_several_checks_share_is_drawn_once() -> None:
    """Six checks judge one cycle; a course of other calls is another one."""
    script = Script("Breakers", "x")
    for number in range(3):
        script.check(f"breakers/cycle:n{number}", "T", kind="breaker.cycle", facts=json.loads(json.dumps(BREAKER)))
    script.check("breakers/cycle:other", "T", kind="breaker.outage", facts={"timeline": [], "calls": BREAKER["calls"]})
    script.check("breakers/cycle:none", "T", kind="breaker.cycle", facts={"timeline": [], "calls": []})
    found = [course.check.id for course in breaker_courses(build_report(script.events()))]
    assert found == ["breakers/cycle:n0", "breakers/cycle:other"]
