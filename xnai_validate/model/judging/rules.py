"""Rules and `judge`: every threshold of every check is decided here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import isnan
from typing import Literal

from pydantic import JsonValue

from xnai_validate.model.json import bounded
from xnai_validate.model.judging.expressions import is_singular, search, values_at

Operator = Literal["equals", "min", "max", "in", "matches", "contains"]
Level = Literal["expect", "warn"]


class Missing:
    """The value of a fact that was not measured, or of a path that finds nothing."""

    def __repr__(self) -> str:
        return "missing"


MISSING = Missing()


@dataclass(frozen=True, slots=True)
class Rule:
    """What is expected of one fact: one operator, optionally negated, optionally about the length."""

    fact: str
    operator: Operator
    operand: JsonValue
    path: str | None = None
    """A key of a mapping, or an RFC 9535 JSONPath into a JSON document (then it begins with `$`)."""
    negated: bool = False
    of_length: bool = False
    ignore_case: bool = False
    level: Level = "expect"

    @property
    def subject(self) -> str:
        """What the rule is about, as users read it: `status`, `headers.x-request-id`, `json $.status`."""
        if self.path is None:
            return self.fact
        return f"{self.fact} {self.path}" if self.path.startswith("$") else f"{self.fact}.{self.path}"

    @property
    def name(self) -> str:
        """The rule as it is written in YAML: `max`, `not matches`, `length min`."""
        return f"{'not ' if self.negated else ''}{'length ' if self.of_length else ''}{self.operator}"


@dataclass(frozen=True, slots=True)
class Finding:
    """One rule, judged."""

    fact: str
    rule: str
    expected: JsonValue
    actual: JsonValue
    held: bool
    level: Level


def judge(rules: Iterable[Rule], facts: Mapping[str, object]) -> tuple[Finding, ...]:
    """Judge measured facts by rules; returns one finding per rule, in the order of the rules.

    An absent value (None, or a path that finds nothing) satisfies no rule but `equals null`, not even a negated one;
    `not: null` requires a value. NaN satisfies no rule at all. Raises Unmeasurable if an expression takes too long.
    """
    return tuple(_finding(rule, _value(rule, facts)) for rule in rules)


def _finding(rule: Rule, value: object) -> Finding:
    measured: object = value
    if rule.of_length and isinstance(value, str | Sequence | Mapping):
        measured = len(value)
    elif rule.of_length:
        measured = MISSING
    shown = None if measured is MISSING else bounded(measured)
    return Finding(rule.subject, rule.name, rule.operand, shown, _holds(rule, measured), rule.level)


def _value(rule: Rule, facts: Mapping[str, object]) -> object:
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


def _holds(rule: Rule, value: object) -> bool:
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


def _min(value: object, operand: JsonValue) -> bool:
    return _is_number(value) and _is_number(operand) and value >= operand  # type: ignore[operator]


def _max(value: object, operand: JsonValue) -> bool:
    return _is_number(value) and _is_number(operand) and value <= operand  # type: ignore[operator]


def _in(value: object, operand: JsonValue) -> bool:
    return isinstance(operand, list) and any(json_equal(value, item) for item in operand)


def _matches(value: object, operand: JsonValue) -> bool:
    return isinstance(value, str) and isinstance(operand, str) and search(operand, value) is not None


def _contains(value: object, operand: JsonValue) -> bool:
    """Whether the value has every item of the operand: a part of a text, an element of a list, a key of a mapping."""
    items = operand if isinstance(operand, list) else [operand]
    if isinstance(value, str | Mapping):
        return all(isinstance(item, str) and item in value for item in items)
    if isinstance(value, Sequence):
        return all(any(json_equal(element, item) for element in value) for item in items)
    return False


_HOLDS = {"equals": json_equal, "min": _min, "max": _max, "in": _in, "matches": _matches, "contains": _contains}


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
