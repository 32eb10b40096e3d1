"""A YAML file as JSON values, with the line and column of everything in it."""

from __future__ import annotations

import re
from codecs import BOM_UTF8
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from xnai_validate.config.yaml_files.reader import Broken, Spot, read_yaml
from xnai_validate.model.json import JsonValue
from xnai_validate.model.source_location import Place, Problem

SIZE_CAP = 8 * 2**20
"""Bytes of a file that are read at most."""

Steps = tuple[str | int, ...]
"""A path of keys and indices within a document."""

_UNPRINTABLE = "[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]"


@dataclass(eq=False)
class Source:
    """One YAML file. Values are JSON values; places are looked up only when something is wrong."""

    file: str
    """The name by which the user is told of it."""
    data: bytes
    """UTF-8, without a mark of its order of bytes."""
    value: JsonValue
    lines: Mapping[str, Sequence[int]] = field(default_factory=dict, repr=False)
    """Key of the document -> the lines of the items of the list under it."""

    @cached_property
    def _rows(self) -> list[bytes]:
        return self.data.split(b"\n")

    @cached_property
    def _spots(self) -> Spot:
        return read_yaml(self.data, spots=True).spot

    @cached_property
    def templated(self) -> bool:
        """Whether anything in the file refers to the environment or to vars."""
        return b"${" in self.data

    def line_of(self, key: str, index: int) -> int:
        """The line of a mapping in the list under a key of the document."""
        lines = self.lines.get(key, ())
        return lines[index] if index < len(lines) else 1

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
        return self._rows[row].decode().rstrip("\r")[:300] if 0 <= row < len(self._rows) else None

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
    data = data.removeprefix(BOM_UTF8)
    if wrong := _not_text(data, shown):
        return None, (wrong,)
    try:
        document = read_yaml(data)
    except Broken as error:
        place = Place(shown, error.line + 1, error.column + 1)
        return None, (Problem(error.message, place, error.hint, Source(shown, data, None).excerpt(place)),)
    source = Source(shown, data, document.value, document.lines)
    problems = []
    for twice, line, column in document.duplicates:
        place = Place(shown, line + 1, column + 1)
        problems.append(Problem(f'the key "{twice}" stands here twice', place, None, source.excerpt(place)))
    return source, tuple(problems)


def _not_text(data: bytes, shown: str) -> Problem | None:
    """Why the bytes of a file are not text that YAML may have; None where they are."""
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        return Problem("not UTF-8 text", Place(shown, line), "save the file as UTF-8")
    strange = re.search(_UNPRINTABLE, text)
    if strange is None:
        return None
    before = text[: strange.start()]
    place = Place(shown, before.count("\n") + 1, strange.start() - before.rfind("\n"))
    message = f"the character U+{ord(strange[0]):04X} cannot stand in YAML"
    return Problem(message, place, "write it as an escape in quotes", Source(shown, data, None).excerpt(place))
