"""Rules are judged as they read, and a fact without a value holds none of them but null."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xnai_validate.errors import Unmeasurable
from xnai_validate.model.json import JsonValue
from xnai_validate.model.judging.fact_types import JSON_TYPE, FactType
from xnai_validate.model.judging.rule_parsing import parse_rules
from xnai_validate.model.judging.rules import Rule, is_singular, judge, values_at

TYPES = {
    "status": FactType("number", nullable=True, integer=True, floor=0),
    "total_ms": FactType("number", floor=0),
    "text": FactType("text", nullable=True),
    "open": FactType("flag"),
    "mode": FactType("choice", choices=("plain", "loud"), nullable=True),
    "items": FactType("list", item=FactType("text")),
    "headers": FactType("map", item=FactType("text"), ignore_case=True),
    "counts": FactType("map", item=FactType("number")),
    "body": JSON_TYPE,
}
BODY = {"status": "healthy", "components": {"redis": True, "llm": False}, "items": [1, 2, 3], "name": None}


def holds(fact: str, spec: JsonValue, value: object) -> bool:
    rules, mistakes = parse_rules({fact: spec}, TYPES, kind="k")
    assert not mistakes, mistakes
    assert rules
    return all(finding.held for finding in judge(rules, {fact: value}))


@pytest.mark.parametrize(
    ("fact", "spec", "value", "held"),
    [
        ("status", 200, 200, True),
        ("status", 200, 503, False),
        ("status", {"in": [200, 204]}, 204, True),
        ("status", {"not": 500}, 200, True),
        ("status", {"not": {"in": [500, 503]}}, 503, False),
        ("status", None, None, True),
        ("status", {"not": None}, None, False),
        ("status", {"not": None}, 200, True),
        ("total_ms", {"max": "2s"}, 2000.0, True),
        ("total_ms", {"max": "2s"}, 2000.1, False),
        ("total_ms", {"min": 1, "max": 3}, 2, True),
        ("total_ms", {"min": 1, "max": 3}, 4, False),
        ("text", {"matches": "^a+$"}, "aaa", True),
        ("text", {"contains": ["a", "b"]}, "cab", True),
        ("text", {"contains": ["a", "z"]}, "cab", False),
        ("text", {"length": {"min": 3}}, "cab", True),
        ("text", {"not": {"length": 3}}, "cab", False),
        ("text", "", "", True),
        ("open", True, True, True),
        ("open", {"not": True}, False, True),
        ("mode", "loud", "loud", True),
        ("items", [], [], True),
        ("items", ["a"], ["a"], True),
        ("items", ["a"], ["a", "b"], False),
        ("items", {"contains": "b"}, ["a", "b"], True),
        ("items", {"length": 2}, ["a", "b"], True),
        ("headers", {"X-Request-ID": {"matches": "^req_"}}, {"x-request-id": "req_1"}, True),
        ("headers", {"X-Request-ID": {"not": None}}, {"other": "req_1"}, False),
        ("headers", {"gone": None}, {}, True),
        ("headers", {"contains": "a"}, {"a": "1"}, True),
        ("counts", {"200": {"min": 2}}, {"200": 3}, True),
        ("body", {"$.status": {"in": ["healthy", "degraded"]}}, BODY, True),
        ("body", {"$.components[?@ == false]": {"length": 0}}, BODY, False),
        ("body", {"$.items[*]": [1, 2, 3]}, BODY, True),
        ("body", {"$.items": {"contains": 3}}, BODY, True),
        ("body", {"$.components": {"contains": ["redis", "llm"]}}, BODY, True),
        ("body", {"$.name": None}, BODY, True),
        ("body", {"$.none": None}, BODY, True),
        ("body", {"$.none": {"max": 3}}, BODY, False),
        ("body", {"$.items[0]": True}, BODY, False),
    ],
)
def test_a_rule_holds_as_it_reads(fact: str, spec: JsonValue, value: object, held: bool) -> None:
    """Every operator on every type of fact."""
    assert holds(fact, spec, value) is held


RULES: list[tuple[str, JsonValue]] = [
    ("status", 200), ("status", {"max": 500}), ("status", {"not": 200}), ("status", {"not": {"in": [1]}}),
    ("text", {"not": {"matches": "x"}}), ("text", {"not": {"contains": "x"}}), ("text", {"length": {"max": 9}}),
    ("mode", {"in": ["plain", "loud"]}), ("body", {"$.a": {"not": 1}}),
]  # fmt: skip


@pytest.mark.parametrize(("fact", "spec"), RULES)
def test_what_was_not_measured_holds_nothing(fact: str, spec: JsonValue) -> None:
    """No rule about a value holds where there is none: not even a negated one."""
    assert not holds(fact, spec, None)
    rules, _ = parse_rules({fact: spec}, TYPES, kind="k")
    assert not any(finding.held for finding in judge(rules, {}))


def test_findings_tell_what_was_wanted_and_seen() -> None:
    """A finding has the subject, the rule's name, the operand, the measured value and the level."""
    rules, _ = parse_rules({"text": {"length": {"max": 2}}}, TYPES, kind="k", level="warn")
    (finding,) = judge(rules, {"text": "long"})
    seen = (finding.fact, finding.rule, finding.expected, finding.actual, finding.held, finding.level)
    assert seen == ("text", "length max", 2, 4, False, "warn")


def test_booleans_are_no_numbers() -> None:
    """true is not 1, neither as a value nor as a measure."""
    (one,) = judge([Rule("f", "equals", 1)], {"f": True})
    (two,) = judge([Rule("f", "max", 1)], {"f": True})
    assert not one.held
    assert not two.held


@given(st.floats(allow_nan=True), st.floats(-1e9, 1e9))
def test_not_a_number_holds_no_bound(value: float, bound: float) -> None:
    """min or max holds for every number on its side and for nothing else, NaN included."""
    low, high = judge([Rule("f", "min", bound), Rule("f", "max", bound)], {"f": value})
    assert low.held is (value >= bound)
    assert high.held is (value <= bound)
    assert (low.held or high.held) is (value == value)


@pytest.mark.parametrize(
    ("path", "singular"),
    [
        ("$", True),
        ("$.a[0]['b c']", True),
        ("$.a[-1]", True),
        ("$['it\\'s']", True),
        ("$..a", False),
        ("$.a[*]", False),
        ("$[0:2]", False),
        ("$['a', 'b']", False),
        ("$[?@.a == 1]", False),
    ],
)
def test_a_path_of_names_and_indexes_alone_is_singular(path: str, singular: bool) -> None:
    """RFC 9535: a singular query has one name or one index in each segment, and gives one value at most."""
    assert is_singular(path) is singular


def test_a_document_too_deep_for_a_path_is_not_measured() -> None:
    """The library bounds how deep `..` goes: a document that nests deeper is an error that names the path."""
    document: list[object] = []
    for _ in range(400):
        document = [document]
    with pytest.raises(Unmeasurable, match=r"'\$\.\.a' cannot be followed in what the server sent"):
        values_at("$..a", document)
