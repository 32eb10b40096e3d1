"""Rules: what is expected of a fact, and how that is read from YAML; what makes no sense is refused."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Literal

from xnai_validate.model.json import JsonValue
from xnai_validate.model.judging.expressions import is_singular, verified_regex
from xnai_validate.model.judging.fact_types import JSON_TYPE, FactType
from xnai_validate.model.suggestions import did_you_mean
from xnai_validate.model.units import duration_s, in_unit_of

Operator = Literal["equals", "min", "max", "in", "matches", "contains", "schema"]
Level = Literal["expect", "warn"]
Aspect = Literal["value", "length", "age"]
OPERATORS = ("min", "max", "in", "not", "matches", "contains", "length", "age", "schema")

_FITS = {
    "min": {"number", "json"},
    "max": {"number", "json"},
    "in": {"number", "text", "choice", "flag", "json"},
    "matches": {"text", "choice", "json"},
    "contains": {"text", "list", "map", "json"},
    "length": {"text", "list", "map", "json"},
    "age": {"text", "number", "json"},
    "schema": {"list", "map", "json"},
}
_LENGTH = FactType("number", integer=True, floor=0)
_AGE = FactType("number")


Schema = Callable[[JsonValue], list[str]]
"""Returns the errors of a document by a JSON Schema, each with its place; an empty list if it conforms."""
Schemas = Callable[[str], Schema]
"""Returns the schema of a file that a rule names; raises ValueError if it cannot be used."""


class SchemaName(str):
    """The operand of `schema`: the name of the file, as reports show it, with what finds the errors of a document."""

    errors: Schema

    def __new__(cls, name: str, errors: Schema) -> SchemaName:
        """The name of a file, and its schema."""
        made = super().__new__(cls, name)
        made.errors = errors
        return made


def _refuse_schema(name: str) -> Schema:
    """Raise ValueError: what is parsed here cannot name a schema."""
    raise ValueError("a schema can be named only in the rules of a check")


@dataclass(frozen=True, slots=True)
class Rule:
    """What is expected of one fact: one operator, optionally negated, optionally about the length or the age."""

    fact: str
    operator: Operator
    operand: JsonValue
    path: str | None = None
    """A key of a mapping, or an RFC 9535 JSONPath into a JSON document (then it begins with `$`)."""
    negated: bool = False
    of: Aspect = "value"
    """What of the value is compared: the value, its length, or its age in seconds, where it is a time."""
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
        """The rule as it is written in YAML: `max`, `not matches`, `length min`, `age max`."""
        return f"{'not ' if self.negated else ''}{'' if self.of == 'value' else f'{self.of} '}{self.operator}"


@dataclass(frozen=True, slots=True)
class RuleError:
    """What is wrong in the YAML of rules, and where below the mapping fact -> rule (a path of keys)."""

    path: tuple[str | int, ...]
    message: str
    hint: str | None = None


def parse_rules(
    raw: Mapping[str, JsonValue],
    types: Mapping[str, FactType],
    *,
    kind: str,
    level: Level = "expect",
    schemas: Schemas = _refuse_schema,
) -> tuple[tuple[Rule, ...], tuple[RuleError, ...]]:
    """Return the rules of a mapping fact -> rule, and every error in it.

    `types` are the facts of the kind of check `kind`; `schemas` reads the JSON Schemas that rules name.
    A scalar means equals; a mapping holds operators; a fact that is a JSON document takes JSONPath -> rule, one that is
    a mapping takes key -> rule.
    """
    rules: list[Rule] = []
    errors: list[RuleError] = []
    for fact, spec in raw.items():
        kind_of_fact = types.get(fact)
        if kind_of_fact is None:
            errors.append(RuleError((fact,), f'unknown fact "{fact}" of {kind}', did_you_mean(str(fact), types)))
            continue
        parser = _Parser(fact, level, errors, schemas)
        rules += parser.of_fact(spec, kind_of_fact)
    return tuple(rules), tuple(errors)


@dataclass(frozen=True, slots=True)
class _Parser:
    fact: str
    level: Level
    errors: list[RuleError]
    schemas: Schemas

    def note_error(self, path: tuple[str | int, ...], message: str, hint: str | None = None) -> list[Rule]:
        """Note an error and return no rules."""
        self.errors.append(RuleError((self.fact, *path), message, hint))
        return []

    def of_fact(self, spec: JsonValue, kind: FactType) -> list[Rule]:
        """The rules of one fact: those of its keys or paths, where it is a mapping or a JSON document."""
        blank = Rule(self.fact, "equals", None, level=self.level)
        if kind.shape == "json":
            if not isinstance(spec, dict) or not all(str(key).startswith("$") for key in spec):
                return self.note_error(
                    (), f"{self.fact} is a JSON document", 'name a part of it: {"$.status": healthy}'
                )
            return [rule for path, rule_spec in spec.items() for rule in self.of_path(str(path), rule_spec, blank)]
        if kind.shape == "map" and isinstance(spec, dict) and not (set(spec) <= set(OPERATORS) and spec):
            item = replace(kind.item or JSON_TYPE, nullable=True)
            return [
                rule
                for key, rule_spec in spec.items()
                for rule in self.of_value(
                    rule_spec, item, replace(blank, path=str(key), ignore_case=kind.ignore_case), (str(key),)
                )
            ]
        return self.of_value(spec, kind, blank, ())

    def of_path(self, path: str, spec: JsonValue, blank: Rule) -> list[Rule]:
        """Parse the rules about the part of a fact at a JSONPath; several nodes are judged as a list."""
        try:
            singular = is_singular(path)
        except ValueError as error:
            return self.note_error((path,), f"{path!r} is not a JSONPath: {error}")
        kind = JSON_TYPE if singular else FactType("list", item=JSON_TYPE)
        return self.of_value(spec, kind, replace(blank, path=path), (path,))

    def of_value(self, spec: JsonValue, kind: FactType, blank: Rule, path: tuple[str | int, ...]) -> list[Rule]:
        """The rules of one value: a scalar or list means equals, a mapping holds operators."""
        if not isinstance(spec, dict):
            if blank.negated and spec is not None and kind.shape == "choice" and spec not in kind.choices:
                return self.note_error(
                    path,
                    f"always holds: {blank.subject} is never {_format_value(spec)}",
                    f"known: {', '.join(kind.choices)}",
                )
            operand = self.operand(spec, kind, "equals", path)
            return [] if operand is _BAD else [replace(blank, operator="equals", operand=operand)]
        if not spec:
            return self.note_error(path, f"the rule of {blank.subject} is empty", f"use one of {', '.join(OPERATORS)}")
        if blank.negated and len(spec) != 1:
            return self.note_error(
                path, "not takes one rule", "write two checks, or a rule for what is expected instead"
            )
        rules: list[Rule] = []
        for name, operand in spec.items():
            rules += self.of_operator(str(name), operand, kind, blank, (*path, str(name)))
        low = next((r.operand for r in rules if r.operator == "min" and not r.negated), None)
        high = next((r.operand for r in rules if r.operator == "max" and not r.negated), None)
        if isinstance(low, int | float) and isinstance(high, int | float) and low > high:
            return self.note_error(path, f"never holds: min {low} is above max {high}")
        return rules

    def of_operator(
        self, name: str, spec: JsonValue, kind: FactType, blank: Rule, path: tuple[str | int, ...]
    ) -> list[Rule]:
        """Parse one operator and its operand, verified against the type of the fact."""
        if name not in OPERATORS:
            return self.note_error(path, f'unknown operator "{name}"', did_you_mean(name, OPERATORS))
        if name == "not":
            if blank.negated:
                return self.note_error(path, "not within not", "leave both away")
            return self.of_value(spec, kind, replace(blank, negated=True), path)
        if kind.shape not in _FITS[name]:
            return self.note_error(path, f"{name} does not fit {blank.subject}, which is {_with_article(str(kind))}")
        if name == "length":
            if blank.of != "value":
                return self.note_error(path, f"length of {_with_article(blank.of)}")
            return self.of_value(spec, _LENGTH, replace(blank, of="length"), path)
        if name == "age":
            return self.of_age(spec, blank, path)
        if name == "schema":
            return self.of_schema(spec, blank, path)
        operand = self.operand(spec, kind, name, path)
        if operand is _BAD:
            return []
        rule = replace(blank, operator=name, operand=operand)  # type: ignore[arg-type]
        why = _always(rule, kind)
        return self.note_error(path, f"always holds: {why}") if why else [rule]

    def of_age(self, spec: JsonValue, blank: Rule, path: tuple[str | int, ...]) -> list[Rule]:
        """The rules of the age of a time: only `min` and `max`, in seconds or as durations."""
        if blank.of != "value":
            return self.note_error(path, f"age of {_with_article(blank.of)}")
        if not isinstance(spec, dict) or not spec or not spec.keys() <= {"min", "max"}:
            return self.note_error(path, "age takes min or max", "write {age: {max: 5m}}")
        seconds: dict[str, JsonValue] = {}
        for name, operand in spec.items():
            try:
                seconds[name] = duration_s(operand) if isinstance(operand, str) else operand
            except ValueError as error:
                return self.note_error((*path, name), str(error))
        return self.of_value(seconds, _AGE, replace(blank, of="age"), path)

    def of_schema(self, spec: JsonValue, blank: Rule, path: tuple[str | int, ...]) -> list[Rule]:
        """The rule that a value conforms to the JSON Schema of a file."""
        if blank.of != "value":
            return self.note_error(path, f"schema of {_with_article(blank.of)}")
        if not isinstance(spec, str):
            return self.note_error(
                path, f"schema takes the name of a file, not {_format_value(spec)}", "write {schema: file.json}"
            )
        try:
            schema = self.schemas(spec)
        except ValueError as error:
            return self.note_error(path, str(error))
        return [replace(blank, operator="schema", operand=SchemaName(spec, schema))]

    def operand(self, spec: JsonValue, kind: FactType, operator: str, path: tuple[str | int, ...]) -> JsonValue:
        """The operand, in the fact's unit if it has one; `_BAD` (and an error noted) if it does not fit."""
        try:
            return _verify_operand(spec, kind, operator, self.fact)
        except ValueError as error:
            self.note_error(path, str(error))
            return _BAD


def _format_value(spec: JsonValue) -> str:
    """Format a value for a message as JSON, and cut it."""
    text = json.dumps(spec, ensure_ascii=False)
    return text if len(text) <= 80 else f"{text[:76]} ..."


_BAD: JsonValue = object()  # type: ignore[assignment]


def _verify_operand(spec: JsonValue, kind: FactType, operator: str, fact: str) -> JsonValue:
    """Return the operand of an operator. Raises ValueError if it does not fit the operator or the fact."""
    if operator in ("min", "max"):
        return _number_of(spec, fact)
    if operator == "matches":
        return _verify_regex(spec)
    if operator == "in":
        if not isinstance(spec, list) or not spec:
            raise ValueError(f"in takes a list of values, not {_format_value(spec)}")
        return [_scalar(item, kind, fact) for item in spec]
    if operator == "contains":
        items = spec if isinstance(spec, list) else [spec]
        if not items or any(isinstance(item, dict) for item in items):
            raise ValueError("contains takes a value or a list of values")
        if kind.shape in ("text", "map") and not all(isinstance(item, str) for item in items):
            raise ValueError(f"contains takes text here, not {_format_value(spec)}")
        return spec
    if spec is None:
        if not kind.nullable:
            raise ValueError(f"{fact} always has a value; null never holds")
        return None
    if kind.shape == "list":
        if not isinstance(spec, list):
            raise ValueError(f"{fact} is a list; use contains or length, or write a list")
        return [_scalar(item, kind.item or JSON_TYPE, fact) for item in spec]
    if kind.shape == "map":
        raise ValueError(f"{fact} is a mapping; name a key of it")
    return _scalar(spec, kind, fact)


def _scalar(spec: JsonValue, kind: FactType, fact: str) -> JsonValue:
    """Return an operand that fits a type of facts. Raises ValueError for one that does not."""
    if kind.shape == "json" or (spec is None and kind.nullable):
        return spec
    if kind.shape == "number":
        return _number_of(spec, fact)
    if kind.shape == "flag" and not isinstance(spec, bool):
        raise ValueError(f"{fact} is true or false, not {_format_value(spec)}")
    if kind.shape in ("text", "choice") and not isinstance(spec, str):
        raise ValueError(f"{fact} is text, not {_format_value(spec)}; put it in quotes")
    if kind.shape == "choice" and spec not in kind.choices:
        guess = did_you_mean(str(spec), kind.choices)
        raise ValueError(f"{fact} is never {_format_value(spec)}" + (f"; {guess}" if guess else ""))
    return spec


def _number_of(spec: JsonValue, fact: str) -> float | int:
    """Return a number, or a duration or size as a number in the fact's unit. Raises ValueError."""
    if isinstance(spec, str):
        return in_unit_of(fact, spec)
    if isinstance(spec, bool) or not isinstance(spec, int | float):
        raise ValueError(f"{fact} is a number, not {_format_value(spec)}")
    return spec


def _verify_regex(spec: JsonValue) -> str:
    """Return a regular expression as it is. Raises ValueError for what is not one."""
    if not isinstance(spec, str):
        raise ValueError(f"matches takes a regular expression, not {_format_value(spec)}")
    return verified_regex(spec)


def _always(rule: Rule, kind: FactType) -> str | None:
    """Why the rule cannot fail on any measured value, or None where it can."""
    operand = rule.operand
    if rule.negated:
        return None
    if rule.operator == "min" and isinstance(operand, int | float) and kind.floor is not None and not kind.nullable:
        return f"{rule.subject} is never below {kind.floor:g}" if operand <= kind.floor else None
    if rule.operator == "max" and isinstance(operand, int | float) and kind.ceiling is not None and not kind.nullable:
        return f"{rule.subject} is never above {kind.ceiling:g}" if operand >= kind.ceiling else None
    if rule.operator == "matches" and isinstance(operand, str) and not kind.nullable and kind.shape != "json":
        matches_anything = all(re.search(operand, text) for text in ("", "\x00", "zq7 Z\n"))
        return f"{operand!r} matches every text" if matches_anything else None
    if rule.operator == "contains" and operand == "" and kind.shape == "text":
        return "every text contains the empty one"
    if rule.operator == "in" and isinstance(operand, list):
        possible: set[object] = (
            set(kind.choices) if kind.shape == "choice" else {True, False} if kind.shape == "flag" else set()
        )
        if possible and not kind.nullable and possible <= {item for item in operand if isinstance(item, str | bool)}:
            return f"these are all the values of {rule.subject}"
    return None


def _with_article(name: str) -> str:
    """Return a name with the article that goes before it."""
    return name if name.startswith(("true", "one of", "text")) else f"{'an' if name[0] in 'aeiou' else 'a'} {name}"
