"""A YAML file as JSON values, with the line and column of everything in it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import field
from functools import cached_property
from pathlib import Path

from xnai_validate.config.yamlevents import Broken, Spot, read_yaml
from xnai_validate.model.frozen import dataclass
from xnai_validate.model.json import JsonValue
from xnai_validate.model.place import Place, Problem

SIZE_CAP = 8 * 2**20
"""Bytes of a file that are read at most."""

Steps = tuple[str | int, ...]
"""A path of keys and indices within a document."""

_UNPRINTABLE = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(eq=False)
class Source:
    """One YAML file. Values are JSON values; places are looked up only when something is wrong."""

    file: str
    """The name by which the user is told of it."""
    text: str
    value: JsonValue
    lines: dict[int, int] = field(repr=False)
    """`id` of each mapping that stands in a list -> its line."""

    @cached_property
    def _rows(self) -> list[str]:
        return self.text.split("\n")

    @cached_property
    def _spots(self) -> Spot:
        return read_yaml(self.text, spots=True).spot

    @cached_property
    def templated(self) -> bool:
        """Whether anything in the file refers to the environment or to vars."""
        return "${" in self.text

    def line_of(self, item: object) -> int:
        """The line of a mapping that stands in a list of the (not interpolated) value."""
        return self.lines.get(id(item), 1)

    def place(self, steps: Sequence[str | int], *, key: bool = False) -> Place:
        """Where a value is written: the scalar itself, else (or with `key`) its key or list item.

        Steps that lead nowhere are left out, so that the place of what is missing is that of its container.
        """
        spot = self._spots
        for step in steps:
            found = spot.child(step)
            if found is not None:
                spot = found
        line, column = spot.name if key or not spot.is_scalar else spot.value
        return Place(self.file, line + 1, column + 1)

    def excerpt(self, place: Place) -> str | None:
        """The line of the file as it stands there, at most 300 characters."""
        row = place.line - 1
        return self._rows[row].rstrip("\r")[:300] if 0 <= row < len(self._rows) else None

    def problem(
        self, steps: Sequence[str | int], message: str, hint: str | None = None, *, key: bool = False
    ) -> Problem:
        """A mistake in this file."""
        place = self.place(steps, key=key)
        return Problem(message, place, hint, self.excerpt(place))


def read_source(path: Path, shown: str) -> tuple[Source | None, tuple[Problem, ...]]:
    """The file at `path`, called `shown` in messages (None where it is unreadable), and its mistakes as YAML."""
    try:
        with path.open("rb") as file:
            data = file.read(SIZE_CAP + 1)
    except OSError as error:
        return None, (Problem(f"cannot read {shown}: {error.strerror}"),)
    if len(data) > SIZE_CAP:
        return None, (Problem(f"{shown} is larger than {SIZE_CAP // 2**20} MiB", hint="split it into several suites"),)
    return parse_source(data, shown)


def parse_source(data: bytes, shown: str) -> tuple[Source | None, tuple[Problem, ...]]:
    """As `read_source`, of the bytes of a file."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        return None, (Problem("not UTF-8 text", Place(shown, line), "save the file as UTF-8"),)
    if strange := _UNPRINTABLE.search(text):
        return None, (_unprintable(text, strange.start(), shown),)
    try:
        document = read_yaml(text)
    except Broken as error:
        bare = Source(shown, text, None, {})
        place = Place(shown, error.line + 1, error.column + 1)
        return None, (Problem(error.message, place, error.hint, bare.excerpt(place)),)
    source = Source(shown, text, document.value, document.lines)
    problems = []
    for twice, line, column in document.duplicates:
        place = Place(shown, line + 1, column + 1)
        problems.append(Problem(f'the key "{twice}" stands here twice', place, None, source.excerpt(place)))
    return source, tuple(problems)


def _unprintable(text: str, at: int, shown: str) -> Problem:
    before = text[:at]
    place = Place(shown, before.count("\n") + 1, at - before.rfind("\n"))
    excerpt = Source(shown, text, None, {}).excerpt(place)
    message = f"the character U+{ord(text[at]):04X} cannot stand in YAML"
    return Problem(message, place, "write it as an escape in quotes", excerpt)
