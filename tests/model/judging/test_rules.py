"""Rules that cannot be meant are refused with their path and the nearest name."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.model.judging.test_findings import TYPES
from xnai_validate.model.json import JsonValue
from xnai_validate.model.judging.findings import judge
from xnai_validate.model.judging.rules import parse_rules


@pytest.mark.parametrize(
    ("fact", "spec", "path", "message"),
    [
        ("stauts", 200, (), 'unknown fact "stauts" of k'),
        ("status", "200", (), "status has no unit; write a plain number instead of '200'"),
        ("status", True, (), "status is a number, not true"),
        ("status", {}, (), "the rule of status is empty"),
        ("status", {"maxi": 3}, ("maxi",), 'unknown operator "maxi"'),
        ("status", {"in": []}, ("in",), "in takes a list of values, not []"),
        ("status", {"in": 3}, ("in",), "in takes a list of values, not 3"),
        ("status", {"min": 3, "max": 2}, (), "never holds: min 3 is above max 2"),
        ("status", {"not": {"min": 1, "max": 2}}, ("not",), "not takes one rule"),
        ("status", {"matches": "2.."}, ("matches",), "matches does not fit status, which is an integer or null"),
        ("total_ms", {"min": 0}, ("min",), "always holds: total_ms is never below 0"),
        ("total_ms", None, (), "total_ms always has a value; null never holds"),
        ("text", {"matches": "["}, ("matches",),
         '"[" is not a regular expression: unterminated character set at position 0'),
        ("text", {"length": {"length": 1}}, ("length", "length"), "length does not fit text, which is an integer"),
        ("text", {"age": 5}, ("age",), "age takes min or max"),
        ("text", {"age": {"max": "5"}}, ("age", "max"),
         "'5' is not a duration; write a number with a unit: 500ms, 2s, 1m30s, 1h"),
        ("text", {"age": {"min": "2h", "max": "1h"}}, ("age",), "never holds: min 7200.0 is above max 3600.0"),
        ("items", {"age": {"max": 1}}, ("age",), "age does not fit items, which is a list of text"),
        ("open", {"in": [True, False]}, ("in",), "always holds: these are all the values of open"),
        ("mode", "silent", (), 'mode is never "silent"; known: loud, plain'),
        ("mode", {"not": "silent"}, ("not",), 'always holds: mode is never "silent"'),
        ("items", "a", (), "items is a list; use contains or length, or write a list"),
        ("headers", "a", (), "headers is a mapping; name a key of it"),
        ("headers", {"a": 5}, ("a",), "headers is text, not 5; put it in quotes"),
        ("body", {"status": 1}, (), "body is a JSON document"),
        ("body", {"$.a": {"contains": {}}}, ("$.a", "contains"), "contains takes a value or a list of values"),
    ],
)  # fmt: skip
def test_what_cannot_be_meant_is_refused(fact: str, spec: JsonValue, path: tuple[str, ...], message: str) -> None:
    """Each error names its path below the rules, and none becomes a rule."""
    rules, errors = parse_rules({fact: spec}, TYPES, kind="k")
    assert [(error.path, error.message) for error in errors] == [((fact, *path), message)]
    assert rules == ()


def test_all_errors_are_reported_at_once() -> None:
    """One wrong rule hides neither another error nor the rules that are right."""
    rules, errors = parse_rules({"stat": 1, "status": 200, "mode": "silent", "text": "x"}, TYPES, kind="k")
    assert len(errors) == 2
    assert [rule.fact for rule in rules] == ["status", "text"]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=4),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["min", "max", "in", "not", "matches", "contains", "length", "$.a", "x"]), inner
        )
    ),
    max_leaves=6,
)


@given(st.sampled_from(sorted(TYPES)), JSON, JSON)
def test_any_rule_is_judged_or_refused(fact: str, spec: JsonValue, value: JsonValue) -> None:
    """Whatever is written and whatever is measured, there is a finding or an error, never an exception."""
    rules, errors = parse_rules({fact: spec}, TYPES, kind="k")
    assert rules or errors or (fact in ("headers", "counts", "body") and spec == {})
    assert len(judge(rules, {fact: value})) == len(rules)
