"""The values of plain YAML scalars, by the core schema of YAML 1.2.

`no`, `on`, `1:30`, `010`, `1_000` and `2026-11-22` are text; only null, true, false, decimal, 0x and 0o integers and
decimal fractions are not. Numbers that JSON cannot hold (`.inf`, `.nan`, `1e999`) stay text. See YAML 1.2.2, 10.3.
"""

from __future__ import annotations

import re
from math import isinf

_WORDS: dict[str, bool | None] = {
    "": None, "~": None, "null": None, "Null": None, "NULL": None,
    "true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False,
}  # fmt: skip
_INTEGER = re.compile(r"[-+]?(?:0|[1-9][0-9]{0,30})", re.ASCII)
_BASED = re.compile(r"0o[0-7]{1,24}|0x[0-9a-fA-F]{1,16}", re.ASCII)
_DECIMAL = re.compile(r"[-+]?(?:\.[0-9]+|(?:0|[1-9][0-9]*)(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?", re.ASCII)
_NUMERIC_START = frozenset("-+.0123456789")


def scalar(text: str) -> str | int | float | bool | None:
    """The value of a plain scalar."""
    if text in _WORDS:
        return _WORDS[text]
    if text[0] not in _NUMERIC_START:
        return text
    if _INTEGER.fullmatch(text):
        return int(text)
    if _BASED.fullmatch(text):
        return int(text, 0)
    if _DECIMAL.fullmatch(text):
        value = float(text)
        return text if isinf(value) else value
    return text


class SpelledInt(int):
    """An integer from the environment that keeps its spelling, for fields that take text (`007`, `+5`)."""

    text: str

    def __str__(self) -> str:
        return self.text


class SpelledFloat(float):
    """A decimal fraction from the environment that keeps its spelling."""

    text: str

    def __str__(self) -> str:
        return self.text


def environment_scalar(text: str) -> str | int | float | bool | None:
    """The value of a text from the environment or the command line: a plain scalar; numbers keep their spelling."""
    value = scalar(text)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return value
    number: SpelledInt | SpelledFloat = SpelledInt(value) if isinstance(value, int) else SpelledFloat(value)
    number.text = text
    return number
