"""Rules and `judge`: every threshold of every check is decided here."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from xnai_validate.errors import Unmeasurable
from xnai_validate.model.json import JsonValue, bounded
from xnai_validate.model.judging.cpu_limit import OutOfPatience, with_patience

if TYPE_CHECKING:
    from jsonpath_rfc9535 import JSONPathNode, JSONPathQuery

T = TypeVar("T")
Operator = Literal["equals", "min", "max", "in", "matches", "contains"]
Level = Literal["expect", "warn"]

MATCH_CAP = 65_536
"""A regular expression reads at most this many characters of a text from a server."""
PATIENCE_S = 2.0
"""CPU time that one regular expression, or one JSONPath, may take."""


class Missing:
    """The value of a fact that was not measured, or of a path that leads nowhere."""

    def __repr__(self) -> str:
        return "missing"


MISSING = Missing()


@dataclass(frozen=True, slots=True)
class Rule:
    """What is wanted of one fact: one operator, optionally negated, optionally about the length."""

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
        """What the rule is about, as a person reads it: `status`, `headers.x-request-id`, `json $.status`."""
        if self.path is None:
            return self.fact
        return f"{self.fact} {self.path}" if self.path.startswith("$") else f"{self.fact}.{self.path}"

    @property
    def name(self) -> str:
        """The rule's spelling in YAML: `max`, `not matches`, `length min`."""
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
    """Hold measured facts against rules; one finding a rule, in the order of the rules.

    A fact without a value (None, or a path that leads nowhere) holds no rule but `equals null`; `not: null` asks for
    a value.
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


def _holds(rule: Rule, value: object) -> bool:
    if value is MISSING or value is None:
        wants_null = rule.operator == "equals" and rule.operand is None
        return wants_null and not rule.negated
    return _HOLDS[rule.operator](value, rule.operand) is not rule.negated


def _equals(value: object, wanted: JsonValue) -> bool:
    if isinstance(value, bool) or isinstance(wanted, bool):
        return value is wanted
    if isinstance(value, tuple):
        value = list(value)
    return value == wanted


def _min(value: object, wanted: JsonValue) -> bool:
    return _is_number(value) and _is_number(wanted) and value >= wanted  # type: ignore[operator]


def _max(value: object, wanted: JsonValue) -> bool:
    return _is_number(value) and _is_number(wanted) and value <= wanted  # type: ignore[operator]


def _in(value: object, wanted: JsonValue) -> bool:
    return isinstance(wanted, list) and any(_equals(value, item) for item in wanted)


def _matches(value: object, wanted: JsonValue) -> bool:
    if not isinstance(value, str) or not isinstance(wanted, str):
        return False
    pattern, text = _pattern(wanted), value[:MATCH_CAP]
    return _patiently(lambda: pattern.search(text), "match", wanted) is not None


def _contains(value: object, wanted: JsonValue) -> bool:
    """Every wanted item is in the value: a part of a text, an element of a list, a key of a mapping."""
    items = wanted if isinstance(wanted, list) else [wanted]
    if isinstance(value, str):
        return all(isinstance(item, str) and item in value for item in items)
    if isinstance(value, Mapping):
        return all(item in value for item in items if isinstance(item, str))
    if isinstance(value, Sequence):
        return all(any(_equals(element, item) for element in value) for item in items)
    return False


_HOLDS = {"equals": _equals, "min": _min, "max": _max, "in": _in, "matches": _matches, "contains": _contains}


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


@lru_cache(maxsize=4096)
def _pattern(text: str) -> re.Pattern[str]:
    return re.compile(text)


@lru_cache(maxsize=4096)
def json_path(text: str) -> JSONPathQuery:
    """A compiled RFC 9535 query; raises ValueError with the library's message, in one line, where `text` is not one."""
    from jsonpath_rfc9535 import JSONPathError, compile

    try:
        return compile(text)
    except JSONPathError as error:
        raise ValueError(error.args[0]) from None  # str(error) has several lines from 2.0 on


@lru_cache(maxsize=4096)
def is_singular(path: str) -> bool:
    """Return whether a JSONPath leads to one place at most, as `$.a[0]` does; raises ValueError as `json_path` does.

    RFC 9535 section 2.3.5.1 allows only such queries as operands of a comparison, so the library's own parser decides.
    """
    json_path(path)
    try:
        json_path(f"$[?{path} == 0]")
    except ValueError:
        return False
    return True


def _value(rule: Rule, facts: Mapping[str, object]) -> object:
    value = facts.get(rule.fact, MISSING)
    if rule.path is None or value is MISSING or value is None:
        return value
    if rule.path.startswith("$"):
        return _at_path(rule.path, value)
    if not isinstance(value, Mapping):
        return MISSING
    if rule.ignore_case:
        wanted = rule.path.lower()
        return next((item for key, item in value.items() if str(key).lower() == wanted), MISSING)
    return value.get(rule.path, MISSING)


def _at_path(path: str, document: object) -> object:
    """The one value of a singular query, or the list of values of any other."""
    found = values_at(path, document)
    if is_singular(path):
        return found[0] if found else MISSING
    return found


def values_at(path: str, document: object) -> list[object]:
    """What a JSONPath finds in a document; raises Unmeasurable where it takes too long or the document is too deep."""
    return [node.value for node in _nodes_at(path, document)]


def places_at(path: str, document: object, most: int) -> list[str]:
    """Where in a document the first `most` values stand that a JSONPath finds: `components.redis`, `items[2].id`."""
    nodes = _nodes_at(path, document, most)
    return ["".join(map(_step, node.location)).removeprefix(".") for node in nodes]


def _nodes_at(path: str, document: Any, most: int | None = None) -> list[JSONPathNode]:
    from jsonpath_rfc9535 import JSONPathError

    query = json_path(path)
    try:
        return _patiently(lambda: list(islice(query.finditer(document), most)), "follow", path)
    except JSONPathError as error:
        raise Unmeasurable(
            f"{path!r} cannot be followed in what the server sent: {error.args[0]}",
            hint="name the place with fewer `..`: the library follows them through a bounded number of levels",
        ) from None


def _step(key: str | int) -> str:
    return f"[{key}]" if isinstance(key, int) else f".{key}"


def _patiently(work: Callable[[], T], doing: str, expression: str) -> T:
    try:
        return with_patience(PATIENCE_S, work)
    except OutOfPatience:
        raise Unmeasurable(
            f"{expression!r} takes more than {PATIENCE_S:g} s to {doing} on what the server sent",
            hint="write it so that nothing in it can be matched in many ways, as in (a+)+ or $..*..*",
        ) from None
