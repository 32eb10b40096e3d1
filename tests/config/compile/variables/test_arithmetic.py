"""Expressions in `${=...}` compute times from times, keep units, and report errors in words."""

from __future__ import annotations

import re

import pytest

from xnai_validate.config.compile.variables.arithmetic import DEPTH_CAP, LENGTH_CAP, evaluate
from xnai_validate.config.compile.variables.interpolation import Interpolator
from xnai_validate.config.compile.variables.space import VarSpace
from xnai_validate.config.yaml_files.problems import Problems, Where
from xnai_validate.model.json import JsonObject, JsonValue

VARS: dict[str, JsonValue] = {
    "monitor.interval_s": 30,
    "call_timeout_s": 1.2,
    "late_ms": 500,
    "slack": "5s",
    "tries": 3,
    "name": "redis",
    "flag": True,
}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("2 * monitor.interval_s + slack", "65s"),
        ("monitor.interval_s+call_timeout_s", "31.2s"),
        ("late_ms * 3", "1.5s"),
        ("(tries + 1) * 100ms", "0.4s"),
        ("max(call_timeout_s / 3, 1s)", "1s"),
        ("min(slack, late_ms)", "0.5s"),
        ("monitor.interval_s / slack", 6),
        ("tries / 2", 1.5),
        ("round(300 / seconds(monitor.interval_s + 1s))", 10),
        ("7 - 2 - 1", 4),
        ("1m", "60s"),
    ],
)
def test_values(text: str, value: JsonValue) -> None:
    """Names that end in `_s` and `_ms`, and texts with a unit, are durations; all else is a number."""
    assert evaluate(text, VARS.get) == value


@pytest.mark.parametrize(
    ("steps", "value"),
    [(("vars", "delay_ms"), 65000), (("action_ms", "max"), 65000), (("recovery_s",), 65), ((), "65s")],
)
def test_the_key_gives_the_unit_of_the_result(steps: tuple[str, ...], value: JsonValue) -> None:
    """A duration below a key with a unit is a number in that unit; elsewhere it is a text."""
    assert evaluate("2 * monitor.interval_s + slack", VARS.get, steps) == value


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "something is missing"),
        ("1 +", "something is missing"),
        ("slack + tries", "a duration and a number cannot be added"),
        ("slack * slack", "two durations cannot be multiplied"),
        ("1 / slack", "a number cannot be divided by a duration"),
        ("slack / 0", "division by zero"),
        ("slack - 1m", "between 0 and a year"),
        ("400d", "between 0 and a year"),
        ("9" * 60, "too large"),
        ("(tries", "not closed"),
        ("tries)", '")" does not belong there'),
        ("tries tries", '"tries" does not belong there'),
        ("2 ** 3", '"*" does not belong there'),
        ("name", "the var name is neither a number nor a duration"),
        ("flag", "the var flag is neither a number nor a duration"),
        ("seconds(3)", "seconds(...) takes one duration"),
        ("round(slack)", "round(...) takes one number"),
        ("max(slack, 1)", "max(...) takes either durations or numbers"),
        ("2 % 3", '"% 3" cannot be read'),
        ("1x", '"1x" cannot be read'),
        ("(" * (DEPTH_CAP + 1) + "1", "parentheses within one another"),
        ("1+" * LENGTH_CAP + "1", "at most 200 characters"),
    ],
)
def test_errors(text: str, message: str) -> None:
    """Every error is named in words; nothing is evaluated that could run on."""
    with pytest.raises(ValueError, match=re.escape(message)):
        evaluate(text, VARS.get)


def test_a_var_that_is_computed_follows_what_it_names() -> None:
    """Overriding a time moves all that is derived from it, also by several steps."""
    space = VarSpace()
    vars_: JsonObject = {
        "call_s": 30,
        "outage_ms": "${=2 * call_s}",
        "within": "${=outage_ms + 15s}",
        "text": "in ${=call_s}",
    }
    space.overlay(vars_, Where(None))
    space.overlay({"call_s": 1.5}, Where(None))
    values = Interpolator({}, space, Problems())
    assert [values.lookup(name, Where(None)) for name in ("outage_ms", "within", "text")] == [3000, "18s", "in 1.5s"]
    assert not values.problems.found


@pytest.mark.parametrize(
    ("vars_", "message"),
    [
        ({"a": "${=b}", "b": "${=a}"}, "vars refer to each other: a -> b -> a"),
        ({"a": "${=nothere + 1s}"}, 'unknown var "nothere"'),
        ({"a": "${=1s + 1}"}, "cannot be added"),
    ],
)
def test_errors_are_noted(vars_: JsonObject, message: str) -> None:
    """Circles and unknown vars in expressions are errors of the file, as in references."""
    space = VarSpace()
    space.overlay(vars_, Where(None))
    values = Interpolator({}, space, Problems())
    assert values.lookup("a", Where(None)) is None
    assert any(message in str(problem) for problem in values.problems.found)
