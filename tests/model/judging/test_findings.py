"""Rules are judged as they read, an absent value satisfies none of them but null; findings become sentences."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from xnai_validate.model.json import JsonValue
from xnai_validate.model.judging.fact_types import JSON_TYPE, FactType
from xnai_validate.model.judging.findings import Finding, describe_finding, judge, main_reason
from xnai_validate.model.judging.rules import Rule, parse_rules

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
CASES = Path(__file__).parent / "cases"
NOW_S = 1_769_860_800.0
"""2026-01-31T12:00:00Z, for rules about ages."""


def read_cases() -> Iterator[Any]:
    """Every case of `cases/<topic>.<holds|fails>.yaml`: the file's name is the expectation."""
    for path in sorted(CASES.glob("*.yaml")):
        topic, outcome = path.stem.rsplit(".", 1)
        for number, case in enumerate(yaml.safe_load(path.read_text(encoding="utf-8")), 1):
            yield pytest.param(
                case["fact"], case["rule"], case["value"], {"holds": True, "fails": False}[outcome],
                id=f"{topic}-{outcome}-{number}",
            )  # fmt: skip


RULE_CASES = list(read_cases())


def findings(fact: str, spec: JsonValue, facts: Mapping[str, object]) -> tuple[Finding, ...]:
    """The findings of one rule as it is written."""
    rules, errors = parse_rules({fact: spec}, TYPES, kind="k")
    assert not errors, errors
    assert rules
    return judge(rules, facts, NOW_S)


@pytest.mark.parametrize(("fact", "spec", "value", "held"), RULE_CASES)
def test_a_rule_holds_as_it_reads(fact: str, spec: JsonValue, value: object, held: bool) -> None:
    """Every operator on every type of fact."""
    assert all(finding.held for finding in findings(fact, spec, {fact: value})) is held


@pytest.mark.parametrize(
    ("fact", "spec"), [case.values[:2] for case in RULE_CASES if case.id.startswith("absent-fails")]
)
def test_a_fact_that_was_not_measured_satisfies_nothing(fact: str, spec: JsonValue) -> None:
    """A fact that is missing altogether is as absent as one without a value."""
    assert not any(finding.held for finding in findings(fact, spec, {}))


def test_findings_have_what_was_expected_and_measured() -> None:
    """A finding has the subject, the rule's name, the operand, the measured value and the level."""
    rules, _ = parse_rules({"text": {"length": {"max": 2}}}, TYPES, kind="k", level="warn")
    (finding,) = judge(rules, {"text": "long"})
    seen = (finding.fact, finding.rule, finding.expected, finding.actual, finding.held, finding.level)
    assert seen == ("text", "length max", 2, 4, False, "warn")


@given(st.floats(allow_nan=True), st.floats(-1e9, 1e9))
def test_not_a_number_holds_no_bound(value: float, bound: float) -> None:
    """min or max holds for every number on its side and for nothing else, NaN included."""
    low, high = judge([Rule("f", "min", bound), Rule("f", "max", bound)], {"f": value})
    assert low.held is (value >= bound)
    assert high.held is (value <= bound)
    assert (low.held or high.held) is (value == value)


@pytest.mark.parametrize(
    ("rule", "facts", "text"),
    [
        (Rule("status", "equals", 200), {"status": 503}, "status: expected 200, got 503"),
        (Rule("total_ms", "max", 400), {"total_ms": 812.0}, "total_ms: expected at most 400, got 812"),
        (Rule("total_ms", "max", 400), {"total_ms": 400.0625}, "total_ms: expected at most 400, got 400.062"),
        (Rule("size", "min", 10), {"size": 3}, "size: expected at least 10, got 3"),
        (Rule("n", "equals", 4, negated=True), {"n": 4}, "n: expected anything but 4, got 4"),
        (Rule("n", "max", 4, negated=True), {"n": 4}, "n: expected more than 4, got 4"),
        (Rule("n", "min", 4, negated=True), {"n": 5}, "n: expected less than 4, got 5"),
        (Rule("s", "in", ["a", "b"]), {"s": "c"}, 's: expected one of "a", "b", got "c"'),
        (Rule("s", "in", ["a"], negated=True), {"s": "a"}, 's: expected none of "a", got "a"'),
        (Rule("s", "matches", "^a"), {"s": "b"}, 's: expected a match of "^a", got "b"'),
        (Rule("s", "contains", "a"), {"s": "b"}, 's: expected it to contain "a", got "b"'),
        (
            Rule("l", "contains", ["a", 2], negated=True),
            {"l": ["a", 2]},
            'l: expected it not to contain "a", 2, got ["a", 2]',
        ),
        (
            Rule("t", "max", 300, of="age"),
            {"t": "2026-01-31T11:00:00Z"},
            "t: expected an age of at most 5 min 00 s, got one of 60 min 00 s",
        ),
        (
            Rule("t", "min", 0, of="age"),
            {"t": "2026-01-31T12:00:30Z"},
            "t: expected an age of at least 0.0 ms, got a time 30.00 s ahead",
        ),
        (
            Rule("t", "max", 300, of="age"),
            {"t": "2026-01-31T11:00:00"},
            't: expected an age of at most 5 min 00 s, got "2026-01-31T11:00:00", which is not a time with a zone',
        ),
        (Rule("l", "min", 2, of="length"), {"l": [1]}, "l: expected a length of at least 2, got 1"),
        (Rule("l", "equals", 2, of="length"), {"l": [1]}, "l: expected a length of 2, got 1"),
        (Rule("x", "equals", None), {"x": 1}, "x: expected no value, got 1"),
        (Rule("x", "equals", None, negated=True), {"x": None}, "x: expected a value, got no value"),
        (Rule("h", "equals", "b", path="x-id"), {"h": {}}, 'h.x-id: expected "b", got no value'),
        (
            Rule("json", "equals", True, path="$.ok"),
            {"json": {"ok": False}},
            "json $.ok: expected true, got false",
        ),
        (
            Rule("json", "equals", "ok", path="$.status"),
            {"json": {"status": None}},
            'json $.status: expected "ok", got null',
        ),
        (
            Rule("json", "equals", "ok", path="$.status"),
            {"json": {}},
            'json $.status: expected "ok", got no value',
        ),
        (
            Rule("json", "equals", "ok", path="$.status"),
            {"json": None, "json_detail": "not JSON: it is empty"},
            'json $.status: expected "ok", got no value (not JSON: it is empty)',
        ),
        (
            Rule("verified", "equals", True),
            {"verified": False, "verify_error": "certificate has expired"},
            "verified: expected true, got false (certificate has expired)",
        ),
        (
            Rule("framing_faults", "equals", []),
            {"framing_faults": ["unknown_field"], "unknown_fields": ["dat", '{"a"']},
            'framing_faults: expected [], got ["unknown_field"] (dat, {"a")',
        ),
        (Rule("error", "equals", None), {"error": "refused"}, "error: refused"),
        (
            Rule("error", "equals", None),
            {"error": "refused", "error_detail": "connection refused by 127.0.0.1:8000"},
            "error: refused (connection refused by 127.0.0.1:8000)",
        ),
        (
            Rule("status", "equals", 200),
            {"status": None, "error": "timeout", "error_detail": "no answer within 5 s"},
            "status: expected 200, got no value (timeout (no answer within 5 s))",
        ),
        (
            Rule("error_ratio", "equals", 0),
            {"error_ratio": 0.5, "error_detail": "answered 503", "too_slow_client": False},
            "error_ratio: expected 0, got 0.5 (answered 503)",
        ),
        (
            Rule("p99_ms", "max", 100),
            {"p99_ms": 120.0, "error_detail": None, "too_slow_client": True},
            "p99_ms: expected at most 100, got 120; this tool was itself too slow for its schedule, which may be "
            "the reason",
        ),
        (
            Rule("json", "equals", 0, path="$.components[?@ == false]", of="length"),
            {"json": {"components": {"redis": True, "llm": False, "disk": False}}},
            "json $.components[?@ == false]: expected a length of 0, got 2 (components.llm, components.disk)",
        ),
        (
            Rule("json", "equals", 0, path="$.items[*].error", of="length"),
            {"json": {"items": [{"error": n} for n in range(9)]}},
            "json $.items[*].error: expected a length of 0, got 9 (items[0].error, items[1].error, "
            "items[2].error, items[3].error, items[4].error, ...)",
        ),
        (Rule("error", "equals", "refused"), {"error": None}, 'error: expected "refused", got no value'),
    ],
)
def test_a_finding_in_words(rule: Rule, facts: dict[str, object], text: str) -> None:
    """Expected and measured value, in one readable sentence."""
    (finding,) = judge([rule], facts, NOW_S)
    assert not finding.held
    assert describe_finding(finding, facts) == text


def test_a_long_list_is_shown_by_its_first_items_and_the_count_of_the_rest() -> None:
    """An item is not cut in its middle for the sake of the next, and what was not kept is counted too."""
    items = [f"request {n}: 500, where 400 was declared; see the handler" for n in range(150)]
    (finding,) = judge([Rule("l", "equals", [])], {"l": items})
    text = describe_finding(finding)
    assert text.startswith(f'l: expected [], got ["{items[0]}", "{items[1]}"')
    assert text.endswith('see the handler"] and 146 more')
    (finding,) = judge([Rule("l", "equals", [])], {"l": ["x" * 1000, "y"]})
    assert describe_finding(finding).endswith(" and 1 more")
    assert len(describe_finding(finding)) < 320


def test_the_reason_is_the_cause() -> None:
    """Of several broken rules the one about `error` comes first, and expect goes before warn."""
    facts = {"status": None, "slow": 9, "error": "reset"}
    rules = [Rule("slow", "max", 1, level="warn"), Rule("status", "equals", 200), Rule("error", "equals", None)]
    assert main_reason(judge(rules, facts), facts) == "error: reset"
    assert main_reason(judge(rules[:1], facts), facts) == "slow: expected at most 1, got 9"
    assert main_reason(judge([Rule("slow", "min", 1)], facts), facts) is None


def test_text_from_a_server_stays_on_its_line() -> None:
    """Control characters and long texts cannot disturb a sentence."""
    text = describe_finding(Finding("text", "equals", "x", "a\n\x1b[31m\u202eb" + "y" * 5000, False, "expect"))
    assert text.isprintable()
    assert len(text) < 250
