"""Findings: every threshold of every check is judged here, and becomes a sentence if it does not hold."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import isnan
from time import time
from typing import cast

from xnai_validate.errors import Unmeasurable
from xnai_validate.model.json import JsonValue, bounded
from xnai_validate.model.judging.expressions import is_singular, locations_of, search, values_at, within_limit
from xnai_validate.model.judging.instants import instant_s
from xnai_validate.model.judging.rules import Level, Rule, SchemaName
from xnai_validate.model.text import printable
from xnai_validate.model.units import format_ms

SHOWN = 120
"""Longer values are cut in a sentence; the report has them whole."""
DETAIL = 300
ITEMS = 240
"""Characters of a long list; its first item is always shown, cut to as many."""
PLACES = 5
_CAPPED = re.compile(r"\.\.\. \((\d+) items\)")
"""What `bounded` leaves of a list that is too long to keep whole."""

_EXPECTED = {
    "equals": "{}",
    "not equals": "anything but {}",
    "min": "at least {}",
    "not min": "less than {}",
    "max": "at most {}",
    "not max": "more than {}",
    "in": "one of {}",
    "not in": "none of {}",
    "matches": "a match of {}",
    "not matches": "no match of {}",
    "contains": "it to contain {}",
    "not contains": "it not to contain {}",
    "schema": "a document of the schema {}",
    "not schema": "no document of the schema {}",
}


class Missing:
    """The value of a fact that was not measured, or of a path that finds nothing."""

    def __repr__(self) -> str:
        return "missing"


MISSING = Missing()


@dataclass(frozen=True, slots=True)
class Finding:
    """One rule, judged."""

    fact: str
    rule: str
    expected: JsonValue
    actual: JsonValue
    held: bool
    level: Level


def judge(rules: Iterable[Rule], facts: Mapping[str, object], now_s: float | None = None) -> tuple[Finding, ...]:
    """Judge measured facts by rules; returns one finding per rule, in the order of the rules.

    Ages are those at `now_s`, seconds since 1970; by default now.

    An absent value (None, or a path that finds nothing) satisfies no rule but `equals null`, not even a negated one;
    `not: null` requires a value. NaN satisfies no rule at all. Raises Unmeasurable if an expression takes too long.
    """
    now_s = time() if now_s is None else now_s
    return tuple(_judge_rule(rule, _value_of(rule, facts), now_s) for rule in rules)


def _judge_rule(rule: Rule, value: object, now_s: float) -> Finding:
    """Judge one rule: find its fact, take its length or age if the rule is about that, and compare."""
    measured: object = value
    if rule.of == "length":
        measured = len(value) if isinstance(value, str | Sequence | Mapping) else MISSING
    elif rule.of == "age" and (since_s := instant_s(value)) is not None:
        measured = now_s - since_s
    elif rule.of == "age" and value is not MISSING and value is not None:
        # No time: shown as it is, and no rule about an age holds for it.
        return Finding(rule.subject, rule.name, rule.operand, bounded(value), False, rule.level)
    elif isinstance(rule.operand, SchemaName) and measured is not MISSING and measured is not None:
        return _conformance(rule, rule.operand, measured)
    shown = None if measured is MISSING else bounded(measured)
    return Finding(rule.subject, rule.name, rule.operand, shown, _rule_holds(rule, measured), rule.level)


def _conformance(rule: Rule, schema: SchemaName, value: object) -> Finding:
    """The finding of a rule about a JSON Schema; what was got is the errors of the document, with their places."""
    errors = within_limit(lambda: schema.errors(cast(JsonValue, value)), "compare", str(schema))
    got: JsonValue = bounded(errors) if errors else bounded(value)
    return Finding(rule.subject, rule.name, rule.operand, got, (not errors) is not rule.negated, rule.level)


def _value_of(rule: Rule, facts: Mapping[str, object]) -> object:
    """Return the fact that a rule is about, or the part of it at the rule's path; MISSING if it is absent."""
    value = facts.get(rule.fact, MISSING)
    if rule.path is None or value is MISSING or value is None:
        return value
    if rule.path.startswith("$"):
        return _at_path(rule.path, value)
    if not isinstance(value, Mapping):
        return MISSING
    if rule.ignore_case:
        key = rule.path.lower()
        return next((item for name, item in value.items() if str(name).lower() == key), MISSING)
    return value.get(rule.path, MISSING)


def _at_path(path: str, document: object) -> object:
    """The one value of a singular query, or the list of values of any other."""
    values = values_at(path, document)
    if is_singular(path):
        return values[0] if values else MISSING
    return values


def _rule_holds(rule: Rule, value: object) -> bool:
    """Whether a rule holds for a value. A missing or null value satisfies only `null`; NaN satisfies no rule."""
    if value is MISSING or value is None:
        return rule.operator == "equals" and rule.operand is None and not rule.negated
    if isinstance(value, float) and isnan(value):
        return False
    return _HOLDS[rule.operator](value, rule.operand) is not rule.negated


def json_equal(value: object, operand: object) -> bool:
    """JSON equality: numbers by value (1 equals 1.0), and at no depth is `true` equal to 1."""
    if isinstance(value, bool) or isinstance(operand, bool):
        return value is operand
    if isinstance(value, list | tuple) and isinstance(operand, list | tuple):
        return len(value) == len(operand) and all(map(json_equal, value, operand))
    if isinstance(value, Mapping) and isinstance(operand, Mapping):
        return value.keys() == operand.keys() and all(json_equal(item, operand[key]) for key, item in value.items())
    return value == operand


def _is_at_least(value: object, operand: JsonValue) -> bool:
    """Whether a number is at least the operand."""
    return _is_number(value) and _is_number(operand) and value >= operand  # type: ignore[operator]


def _is_at_most(value: object, operand: JsonValue) -> bool:
    """Whether a number is at most the operand."""
    return _is_number(value) and _is_number(operand) and value <= operand  # type: ignore[operator]


def _is_among(value: object, operand: JsonValue) -> bool:
    """Whether a value equals one of the listed ones."""
    return isinstance(operand, list) and any(json_equal(value, item) for item in operand)


def _matches_regex(value: object, operand: JsonValue) -> bool:
    """Whether a regular expression matches somewhere in a text."""
    return isinstance(value, str) and isinstance(operand, str) and search(operand, value) is not None


def _contains(value: object, operand: JsonValue) -> bool:
    """Whether the value has every item of the operand: a part of a text, an element of a list, a key of a mapping."""
    items = operand if isinstance(operand, list) else [operand]
    if isinstance(value, str | Mapping):
        return all(isinstance(item, str) and item in value for item in items)
    if isinstance(value, Sequence):
        return all(any(json_equal(element, item) for element in value) for item in items)
    return False


_HOLDS = {
    "equals": json_equal,
    "min": _is_at_least,
    "max": _is_at_most,
    "in": _is_among,
    "matches": _matches_regex,
    "contains": _contains,
}


def _is_number(value: object) -> bool:
    """Whether a value is a number; true and false are none."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def describe_finding(finding: Finding, facts: Mapping[str, object] | None = None) -> str:
    """Return what was expected and what was got: `status: expected 200, got 503`.

    `facts` of the same measurement explain it, as `got_text` has it, and `too_slow_client` that the tool, not the
    stack, may be the reason.
    """
    facts = facts or {}
    if finding.fact == "error" and finding.expected is None and finding.rule == "equals" and finding.actual is not None:
        return f"error: {_describe_error(facts, finding.actual)}"
    text = f"{finding.fact}: expected {expected_text(finding)}, got {got_text(finding, facts)}"
    if facts.get("too_slow_client") is True and finding.fact != "too_slow_client":
        text += "; this tool was itself too slow for its schedule, which may be the reason"
    return text


def got_text(finding: Finding, facts: Mapping[str, object]) -> str:
    """Return the measured value of a finding, with its explanation in brackets.

    The explanation is another fact of the same measurement: `error` and `error_detail` for an absent value and for
    counted errors, `<fact>_detail` for any other fact. For unexpected values in a JSON document it is their paths.
    """
    detail = _detail(finding, facts)
    return _describe_actual(finding, facts) + (f" ({detail})" if detail else "")


def _describe_actual(finding: Finding, facts: Mapping[str, object]) -> str:
    """Describe the measured value of a finding: null, an age, or the value with the places of the items counted."""
    if finding.actual is None:
        return "null" if _is_null(finding, facts) else "no value"
    if finding.rule.removeprefix("not ").startswith("age "):
        return _age_text(finding.actual)
    text, places = value_text(finding.actual), _places(finding, facts)
    if not places:
        return text
    more = ", ..." if isinstance(finding.actual, int) and finding.actual > len(places) else ""
    return f"{text} ({printable(cut(', '.join(places), ITEMS))}{more})"


_EXPLAINED_BY = {
    "error_ratio": "error_detail",
    "error_count": "error_detail",
    "verified": "verify_error",
    "json_valid": "json_detail",
    "bad_json_count": "json_detail",
    "framing_faults": "unknown_fields",
    "memory_mib": "usage_error",
    "memory_percent": "usage_error",
    "pids": "usage_error",
}
"""Fact -> the fact that explains it, where that is not `<fact>_detail`."""


def _detail(finding: Finding, facts: Mapping[str, object]) -> str | None:
    """Return the fact that explains why a rule does not hold, or why its value is absent."""
    fact = finding.fact.partition(" ")[0]
    if finding.held or fact == "error":
        return None
    if finding.actual is None and facts.get("error") is not None:
        return _describe_error(facts, str(facts["error"]))
    detail = facts.get(_EXPLAINED_BY.get(fact, f"{fact}_detail"))
    if not detail:
        return None
    text = ", ".join(map(str, detail)) if isinstance(detail, list) else str(detail)
    return cut(printable(text), DETAIL)


def _is_null(finding: Finding, facts: Mapping[str, object]) -> bool:
    """Whether a place of a JSON document holds null, which is another thing than a place that is missing."""
    name, separator, path = finding.fact.partition(" $")
    if not separator or facts.get(name) is None:
        return False
    try:
        return values_at("$" + path, facts[name]) == [None]
    except (Unmeasurable, ValueError):
        return False


def _age_text(age_s: JsonValue) -> str:
    """Format the measured age; a value that is not a time is shown unchanged."""
    if isinstance(age_s, bool) or not isinstance(age_s, int | float):
        return f"{value_text(age_s)}, which is not a time with a zone"
    return f"one of {format_ms(age_s * 1000)}" if age_s >= 0 else f"a time {format_ms(-age_s * 1000)} ahead"


def _places(finding: Finding, facts: Mapping[str, object]) -> list[str]:
    """Return the paths of the unexpected values, for a rule that allows no values."""
    name, separator, path = finding.fact.partition(" $")
    unwanted = finding.rule in ("length equals", "length max") and finding.expected == 0
    if not (separator and unwanted) or finding.held or facts.get(name) is None:
        return []
    try:
        return locations_of("$" + path, facts[name], PLACES)
    except (Unmeasurable, ValueError):
        return []


def main_reason(findings: Iterable[Finding], facts: Mapping[str, object] | None = None) -> str | None:
    """Return the sentence of the most important finding; None if every rule holds.

    Rules of level `expect` before those of level `warn`; among them the one about `error` first, for it is the cause
    of the others; else in the order of the rules.
    """
    broken = [finding for finding in findings if not finding.held]
    broken.sort(key=lambda finding: (finding.level == "warn", finding.fact != "error"))
    return describe_finding(broken[0], facts) if broken else None


def value_text(value: JsonValue) -> str:
    """A value on one line, short: `200`, `"text/html"`, `["a", "b"]`, `812.4`."""
    if isinstance(value, float):
        return f"{value:.6g}" if abs(value) < 1e6 else f"{value:.0f}"
    text = printable(json.dumps(value, ensure_ascii=False))
    return _items(value) if isinstance(value, list) and len(text) > SHOWN else cut(text, SHOWN)


def _items(values: list[JsonValue]) -> str:
    """The first items of a long list, whole where possible, and how many more there are."""
    count = len(values)
    last = values[-1]
    if isinstance(last, str) and (cap := _CAPPED.fullmatch(last)):
        count, values = int(cap[1]), values[:-1]
    kept: list[str] = []
    for value in values:
        text = cut(printable(json.dumps(value, ensure_ascii=False)), ITEMS)
        if kept and sum(map(len, kept)) + len(text) > ITEMS:
            break
        kept.append(text)
    more = count - len(kept)
    return f"[{', '.join(kept)}]" + (f" and {more} more" if more else "")


def cut(text: str, cap: int) -> str:
    """`text`, or its first `cap` characters and how many there were."""
    return text if len(text) <= cap else f"{text[:cap]}... ({len(text)} characters)"


def expected_text(finding: Finding) -> str:
    """Return what the rule of a finding expects, in words: `200`, `at most 400`, `it to contain "done"`."""
    name, of = finding.rule, ""
    if "length " in name:
        name, of = name.replace("length ", ""), "a length of "
    elif "age " in name:
        age_ms = finding.expected * 1000 if isinstance(finding.expected, int | float) else 0
        return "an age of " + _EXPECTED[name.replace("age ", "")].replace("{}", format_ms(age_ms))
    if finding.expected is None:
        return "a value" if name.startswith("not ") else "no value"
    operand = finding.expected
    items = isinstance(operand, list) and name.removeprefix("not ") in ("in", "contains")
    text = ", ".join(map(value_text, operand)) if items and isinstance(operand, list) else value_text(operand)
    return of + _EXPECTED.get(name, f"{name} {{}}").replace("{}", text)


def _describe_error(facts: Mapping[str, object], kind: JsonValue) -> str:
    """Describe the fact `error` together with its detail."""
    detail = facts.get("error_detail")
    word = kind if isinstance(kind, str) else value_text(kind)
    return f"{printable(word)} ({cut(printable(str(detail)), DETAIL)})" if detail else printable(word)
