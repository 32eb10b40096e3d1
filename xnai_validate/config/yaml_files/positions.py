"""A YAML document as it was read, with the place of everything in it."""

from __future__ import annotations

from array import array
from dataclasses import dataclass

from xnai_validate.model.json import JsonValue

Mark = tuple[int, int]
"""Line and column, both from 0."""


class YamlError(Exception):
    """The text is not YAML, or uses a part of YAML that is refused here."""

    def __init__(self, message: str, mark: Mark, hint: str | None = None) -> None:
        super().__init__(message)
        self.message, (self.line, self.column), self.hint = message, mark, hint


@dataclass(slots=True)
class Position:
    """The place of a value, and the places of the values within it."""

    name: Mark
    """The place of its key, or of itself."""
    value: Mark
    is_scalar: bool = False
    keys: dict[str, Position] | None = None
    items: list[Position] | None = None

    def child(self, step: str | int) -> Position | None:
        """The position of the value of a key, or of an item; None if it does not exist."""
        if self.keys is not None:
            return self.keys.get(str(step))
        if self.items is not None and isinstance(step, int) and 0 <= step < len(self.items):
            return self.items[step]
        return None


@dataclass(slots=True)
class Document:
    """A document as it was read."""

    value: JsonValue
    position: Position
    lines: dict[str, array[int]]
    """Key of the document -> the lines, from 1, of the items of the list under it."""
    duplicates: list[Duplicate]


@dataclass(frozen=True, slots=True)
class Duplicate:
    """A key that a mapping has already."""

    key: str
    mark: Mark
    first_line: int
    """The line of the first one, from 0."""
