"""Variables in compose files: `$NAME`, `${NAME}` and the forms with a default, an error or an alternative.

Source: Compose Specification, 12 (Interpolation). `$$` is a dollar sign.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from xnai_validate.model.json import JsonValue

_START = re.compile(r"\$(?:(?P<escaped>\$)|(?P<plain>[A-Za-z_][A-Za-z0-9_]*)|(?P<braced>\{))")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_BRACE = re.compile(r"\$\{|\}")
_OPERATORS = (":-", ":?", ":+", "-", "?", "+")
DEPTH_CAP = 16
"""Defaults within defaults."""
TEXT_CAP = 2**20
"""Characters of one text."""


class FilledText(str):
    """A text whose variables were replaced; it keeps their names."""

    __slots__ = ("names",)
    names: tuple[str, ...]


def filled(text: str, names: tuple[str, ...]) -> FilledText:
    """A text that was made of these variables."""
    made = FilledText(text)
    made.names = names
    return made


def names_in(value: object) -> tuple[str, ...]:
    """The variables that a value was made of."""
    return value.names if isinstance(value, FilledText) else ()


@dataclass(slots=True)
class Interpolation:
    """Replaces variables by their values; notes those that have none."""

    environment: Mapping[str, str | None]
    missing: dict[str, str] = field(default_factory=dict)
    """Variable without value or default -> what its file has to add about it."""

    def value(self, raw: JsonValue) -> JsonValue:
        """A value with the variables in all its texts replaced; keys stay."""
        if isinstance(raw, str):
            return self.text(raw) if "$" in raw else raw
        if isinstance(raw, dict):
            return {key: self.value(item) for key, item in raw.items()}
        if isinstance(raw, list):
            return [self.value(item) for item in raw]
        return raw

    def text(self, text: str, depth: int = 0) -> FilledText:
        """A text with its variables replaced; what is not a reference stays as it is."""
        pieces: list[str] = []
        names: list[str] = []
        at = 0
        closings = _closing_braces(text) if "${" in text and depth <= DEPTH_CAP else {}
        while match := _START.search(text, at):
            pieces.append(text[at : match.start()])
            at = match.end()
            if match["escaped"]:
                pieces.append("$")
            elif match["plain"]:
                names.append(match["plain"])
                pieces.append(self._value_of(match["plain"]))
            else:
                end = closings.get(at)
                name = _NAME.match(text, at)
                if end is None or name is None:
                    pieces.append(match[0])
                    continue
                names.append(name[0])
                piece = self._resolve_braced(name[0], text[name.end() : end], depth)
                names += names_in(piece)
                pieces.append(piece)
                at = end + 1
        return filled("".join([*pieces, text[at:]])[:TEXT_CAP], tuple(dict.fromkeys(names)))

    def _value_of(self, name: str) -> str:
        """Return the value of a variable; an empty text, noted as missing, if it is not set."""
        value = self.environment.get(name)
        if value is None:
            self.missing.setdefault(name, "")
        return value or ""

    def _resolve_braced(self, name: str, rest: str, depth: int) -> str:
        """Resolve `${NAME}` with its operator: `:-` default, `:?` error, `:+` alternative."""
        value = self.environment.get(name)
        operator = next((each for each in _OPERATORS if rest.startswith(each)), "")
        word = rest.removeprefix(operator)
        has_value = bool(value) if operator.startswith(":") else value is not None
        if operator.endswith("+"):
            return self.text(word, depth + 1) if has_value else ""
        if has_value:
            return value or ""
        if operator.endswith("-"):
            return self.text(word, depth + 1)
        if operator.endswith("?"):
            self.missing[name] = self.text(word, depth + 1)
            return ""
        return self._value_of(name)


def _closing_braces(text: str) -> dict[int, int]:
    """Return where each `${` is closed: the index behind it -> that of the brace; without those that are not closed."""
    closings: dict[int, int] = {}
    begun: list[int] = []
    for brace in _BRACE.finditer(text):
        if brace[0] != "}":
            begun.append(brace.end())
        elif begun:
            closings[begun.pop()] = brace.start()
    return closings
