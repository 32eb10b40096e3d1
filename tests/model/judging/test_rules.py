"""Rules are judged as they read; an absent value satisfies none of them but null."""

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
from xnai_validate.model.judging.rule_parsing import parse_rules
from xnai_validate.model.judging.rules import Finding, Rule, judge

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
    return judge(rules, facts)


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
