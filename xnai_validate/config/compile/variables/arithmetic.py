"""Arithmetic in `${=...}`: times that follow from other times, such as `${=2 * monitor.interval_s + call_timeout_s}`.

An expression has numbers, durations (`5s`, `200ms`), vars, `+ - * /`, parentheses, and functions: `min`, `max`,
`round` (to a whole number) and `seconds` (a duration as a plain number). A var whose name ends in `_s` or `_ms` is a
duration in that unit.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from xnai_validate.model.json import JsonValue
from xnai_validate.model.units import duration_s

LENGTH_CAP = 200
"""Characters of one expression."""
DEPTH_CAP = 20
"""Parentheses and functions within one another."""
LONGEST_S = 366 * 86400.0
"""The longest duration that an expression may give."""
_TOKEN = re.compile(
    r"\s*(?:(?P<quantity>[0-9]+(?:\.[0-9]+)?)(?P<unit>us|ms|s|min|m|h|d)?(?![A-Za-z0-9_.])"
    r"|(?P<name>[a-z][A-Za-z0-9_]*(?:\.[A-Za-z0-9_]+)*)|(?P<sign>[-+*/(),]))",
    re.ASCII,
)
_UNITS = {"_s": 1.0, "_ms": 1e-3}
FUNCTIONS = ("max", "min", "round", "seconds")


@dataclass(frozen=True, slots=True)
class Quantity:
    """A plain number, or a duration in seconds."""

    value: float
    is_time: bool = False

    @property
    def noun(self) -> str:
        """What it is, in a message."""
        return "a duration" if self.is_time else "a number"


Lookup = Callable[[str], JsonValue]
"""Returns the value of a var by its dotted path."""


def evaluate(text: str, lookup: Lookup, steps: Iterable[str | int] = ()) -> JsonValue:
    """The value of an expression, which stands at the path `steps` of a file.

    A duration is a text such as `75s`; below a key that ends in `_s` or `_ms` it is a number in that unit, as checks
    and vars with such names have it. Raises ValueError, with a message for the user, for an expression with errors.
    """
    if len(text) > LENGTH_CAP:
        raise ValueError(f"an expression has at most {LENGTH_CAP} characters; give a part of it a name of its own")
    result = _Parser(text, lookup).parse_all()
    if not math.isfinite(result.value) or abs(result.value) > 1e15:
        raise ValueError(f"the result of {text.strip()} is too large")
    if not result.is_time:
        return _round_to_number(result.value)
    if not 0 <= result.value <= LONGEST_S:
        raise ValueError(f"{text.strip()} gives {result.value:g} s; a duration is between 0 and a year")
    unit = unit_of(steps)
    return _round_to_number(result.value / unit) if unit else f"{_round_to_number(result.value)}s"


def unit_of(steps: Iterable[str | int]) -> float | None:
    """Seconds of the unit in which a key of a path holds its numbers, by its name; the innermost such key counts."""
    for step in reversed(tuple(steps)):
        for suffix, seconds in _UNITS.items():
            if str(step).endswith(suffix):
                return seconds
    return None


def _round_to_number(value: float) -> int | float:
    """Round to six digits after the point; an integer where the rounded value is one."""
    rounded = round(value, 6)
    return int(rounded) if rounded == int(rounded) else rounded


class _Parser:
    """Reads and computes one expression, from left to right."""

    def __init__(self, text: str, lookup: Lookup) -> None:
        self._text, self._lookup = text, lookup
        self._tokenize = list(_tokenize(text))
        self._at = self._depth = 0

    def parse_all(self) -> Quantity:
        """Parse the whole expression. Raises ValueError for anything after its end."""
        result = self._parse_sum()
        if self._at < len(self._tokenize):
            token = self._tokenize[self._at].group().strip()
            raise ValueError(f'"{token}" does not belong there in {self._text.strip()}')
        return result

    def _parse_sum(self) -> Quantity:
        """Parse products joined by + and -. Raises ValueError where a duration meets a plain number."""
        left = self._product()
        while sign := self._sign("+-"):
            right = self._product()
            if left.is_time is not right.is_time:
                raise ValueError(f"{left.noun} and {right.noun} cannot be added; write durations with a unit: 5s")
            left = Quantity(left.value + right.value if sign == "+" else left.value - right.value, left.is_time)
        return left

    def _product(self) -> Quantity:
        """Parse factors with `*` and `/` between them. Raises ValueError where times do not fit."""
        left = self._factor()
        while sign := self._sign("*/"):
            right = self._factor()
            if sign == "*":
                if left.is_time and right.is_time:
                    raise ValueError("two durations cannot be multiplied")
                left = Quantity(left.value * right.value, left.is_time or right.is_time)
                continue
            if right.value == 0:
                raise ValueError("division by zero")
            if right.is_time and not left.is_time:
                raise ValueError("a number cannot be divided by a duration; write seconds(...) for its seconds")
            left = Quantity(left.value / right.value, left.is_time and not right.is_time)
        return left

    def _factor(self) -> Quantity:
        """Parse a number, a duration, a var, a function or parentheses. Raises ValueError for anything else."""
        if self._at >= len(self._tokenize):
            raise ValueError(f"something is missing at the end of {self._text.strip() or 'the expression'}")
        token = self._tokenize[self._at]
        self._at += 1
        if token["quantity"]:
            unit = token["unit"]
            return Quantity(duration_s(token["quantity"] + unit), True) if unit else Quantity(float(token["quantity"]))
        if token["name"] in FUNCTIONS and self._sign("("):
            return _call(token["name"], self._inner(several=True))
        if token["name"]:
            return _quantity(token["name"], self._lookup(token["name"]))
        if token["sign"] == "(":
            return self._inner()[0]
        raise ValueError(f'"{token["sign"]}" does not belong there in {self._text.strip()}')

    def _inner(self, *, several: bool = False) -> list[Quantity]:
        """Parse up to the closing parenthesis, after the opening one; with `several`, a list of sums between commas."""
        self._depth += 1
        if self._depth > DEPTH_CAP:
            raise ValueError(f"at most {DEPTH_CAP} parentheses within one another")
        found = [self._parse_sum()]
        while several and self._sign(","):
            found.append(self._parse_sum())
        if not self._sign(")"):
            raise ValueError(f"a parenthesis is not closed in {self._text.strip()}")
        self._depth -= 1
        return found

    def _sign(self, signs: str) -> str | None:
        """The next token, if it is one of these signs; then it is read."""
        sign = self._tokenize[self._at]["sign"] if self._at < len(self._tokenize) else None
        if sign is None or sign not in signs:
            return None
        self._at += 1
        return sign


def _tokenize(text: str) -> Iterable[re.Match[str]]:
    """Yield the tokens of an expression. Raises ValueError at text that is not a token."""
    at, end = 0, len(text.rstrip())
    while at < end:
        match = _TOKEN.match(text, at)
        if match is None:
            raise ValueError(f'"{text[at:end].strip()[:20]}" cannot be read in {text.strip()}')
        yield match
        at = match.end()


def _call(name: str, arguments: list[Quantity]) -> Quantity:
    """Call a function of expressions. Raises ValueError for arguments that do not fit."""
    if name == "seconds":
        if len(arguments) != 1 or not arguments[0].is_time:
            raise ValueError("seconds(...) takes one duration")
        return Quantity(arguments[0].value)
    if name == "round":
        if len(arguments) != 1 or arguments[0].is_time:
            raise ValueError("round(...) takes one number")
        return Quantity(float(round(arguments[0].value)))
    if len({argument.is_time for argument in arguments}) > 1:
        raise ValueError(f"{name}(...) takes either durations or numbers")
    choose = max if name == "max" else min
    return Quantity(choose(argument.value for argument in arguments), arguments[0].is_time)


def _quantity(path: str, value: JsonValue) -> Quantity:
    """The value of a var: a duration by its text or by its name, else a plain number."""
    if isinstance(value, str):
        try:
            return Quantity(duration_s(value), True)
        except ValueError:
            raise ValueError(f"the var {path} is neither a number nor a duration") from None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"the var {path} is neither a number nor a duration")
    unit = unit_of(path.split("."))
    return Quantity(value * unit, True) if unit else Quantity(float(value))
