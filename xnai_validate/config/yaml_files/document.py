"""A YAML file as JSON values, with the line and column of everything in it."""

from __future__ import annotations

import os
import re
import stat
from codecs import BOM_UTF8
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from xnai_validate.config.yaml_files.credentials import Credentials
from xnai_validate.config.yaml_files.positions import Position, YamlError
from xnai_validate.config.yaml_files.reader import read_yaml
from xnai_validate.model.json import JsonValue
from xnai_validate.model.secrets.excerpts import without_credentials
from xnai_validate.model.source_location import Problem, SourceLocation

SIZE_CAP = 8 * 2**20
"""Bytes of a file that are read at most."""
EXCERPT_CAP = 300
"""Characters of a line that are kept for a message."""
WINDOW_CAP = 5_000
"""Characters before and after the place of an error in which credentials are looked for by their names."""

Steps = tuple[str | int, ...]
"""A path of keys and indices within a document."""

_BREAKS = re.compile("\r\n|[\n\r\x85\u2028\u2029]")
"""What ends a line in YAML 1.1, by which libyaml counts lines."""
_UNPRINTABLE = "[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]"


@dataclass(eq=False)
class Source:
    """One YAML file. Values are JSON values; places are looked up only for errors."""

    file: str
    """The name of the file in messages."""
    data: bytes
    """UTF-8, without a byte order mark."""
    value: JsonValue
    lines: Mapping[str, Sequence[int]] = field(default_factory=dict, repr=False)
    """Key of the document -> the lines of the items of the list under it."""
    folder: Path | None = None
    """The folder of the file, in which the files lie that it names; None for text that is in no file."""

    @cached_property
    def _rows(self) -> list[str]:
        """Return the lines of the file."""
        return _BREAKS.split(self.data.decode())

    @cached_property
    def _credentials(self) -> Credentials:
        """Return where credentials stand in the file, found at the first error only."""
        return Credentials(self._rows, self.data)

    @cached_property
    def _positions(self) -> Position:
        """Return the line and column of everything in the file, read again at the first error only."""
        return read_yaml(self.data, positions=True).position

    @cached_property
    def templated(self) -> bool:
        """Whether anything in the file refers to the environment or to vars."""
        return b"${" in self.data

    def line_of(self, key: str, index: int) -> int:
        """The line of a mapping in the list under a key of the document."""
        lines = self.lines.get(key, ())
        return lines[index] if index < len(lines) else 1

    def place(self, steps: Sequence[str | int], *, key: bool = False) -> SourceLocation:
        """The place of a value: of the scalar itself, else (or with `key`) of its key or list item.

        Steps that do not exist are ignored, so that the place of a missing value is that of its container.
        """
        position = self._positions
        for step in steps:
            child = position.child(step)
            if child is not None:
                position = child
        line, column = position.name if key or not position.is_scalar else position.value
        return SourceLocation(self.file, line + 1, column + 1)

    def problem_at(self, place: SourceLocation, message: str, hint: str | None = None) -> Problem:
        """An error at a place of this file, with its line, or 300 characters of a longer one around the place."""
        row = place.line - 1
        if not 0 <= row < len(self._rows):
            return Problem(message, place, hint)
        begin = max(0, place.column - WINDOW_CAP)
        line = self._rows[row][begin : place.column + WINDOW_CAP]
        spans = [(max(0, first - begin), last - begin) for first, last in self._credentials.in_row(row) if last > begin]
        line = without_credentials(line, spans)
        start = max(0, place.column - EXCERPT_CAP // 2) if len(self._rows[row]) > EXCERPT_CAP else 0
        return Problem(message, place, hint, line[start - begin : start - begin + EXCERPT_CAP], start)

    def problem(
        self, steps: Sequence[str | int], message: str, hint: str | None = None, *, key: bool = False
    ) -> Problem:
        """Return an error at the value that `steps` lead to; with `key`, at the key of that value."""
        return self.problem_at(self.place(steps, key=key), message, hint)

    def copy(self) -> Source:
        """Return a copy whose outermost mapping and lists may be changed; their values are shared with this one."""
        value = self.value
        if isinstance(value, dict):
            value = {key: list(item) if isinstance(item, list) else item for key, item in value.items()}
        return Source(self.file, self.data, value, self.lines, self.folder)


Read = tuple[Source | None, tuple[Problem, ...]]
"""A file (None if it is unreadable) and its errors as YAML."""


class SourceCache:
    """The files that were read, for programs that load many plans: `lint` reads each bundled suite several times."""

    def __init__(self) -> None:
        self._read: dict[tuple[Path, str], Read] = {}

    def read(self, path: Path, shown: str) -> Read:
        """Read a file as `read_source` does; return the earlier result for a file read under the same name before."""
        if (path, shown) not in self._read:
            self._read[path, shown] = read_source(path, shown)
        source, problems = self._read[path, shown]
        return source.copy() if source else None, problems


def read_source(path: Path, shown: str) -> Read:
    """The file at `path`, called `shown` in messages, and its errors as YAML. Only regular files are read."""
    try:
        # Without O_NONBLOCK, opening a FIFO would wait for a writer.
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        with open(handle, "rb") as file:
            if not stat.S_ISREG(os.fstat(handle).st_mode):
                return None, (Problem(f"cannot read {shown}: not a regular file"),)
            data = file.read(SIZE_CAP + 1)
    except OSError as error:
        return None, (Problem(f"cannot read {shown}: {error.strerror}"),)
    if len(data) > SIZE_CAP:
        return None, (Problem(f"{shown} is larger than {SIZE_CAP // 2**20} MiB", hint="split it into several suites"),)
    return parse_source(data, shown, path.parent)


def parse_source(data: bytes, shown: str, folder: Path | None = None) -> Read:
    """Parse the bytes of a file in `folder` as `read_source` parses a file."""
    data = data.removeprefix(BOM_UTF8)
    if problem := _not_text(data, shown):
        return None, (problem,)
    try:
        document = read_yaml(data)
    except YamlError as error:
        place = SourceLocation(shown, error.line + 1, error.column + 1)
        return None, (Source(shown, data, None).problem_at(place, error.message, error.hint),)
    source = Source(shown, data, document.value, document.lines, folder)
    problems = []
    for duplicate in document.duplicates:
        place = SourceLocation(shown, duplicate.mark[0] + 1, duplicate.mark[1] + 1)
        message = f'the key "{duplicate.key}" stands here twice, first in line {duplicate.first_line + 1}'
        problems.append(source.problem_at(place, message))
    return source, tuple(problems)


def _not_text(data: bytes, shown: str) -> Problem | None:
    """Why the bytes of a file are not text that YAML allows; None if they are."""
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        line = len(_BREAKS.split(data[: error.start].decode()))
        return Problem("not UTF-8 text", SourceLocation(shown, line), "save the file as UTF-8")
    unprintable = re.search(_UNPRINTABLE, text)
    if unprintable is None:
        return None
    before = _BREAKS.split(text[: unprintable.start()])
    place = SourceLocation(shown, len(before), len(before[-1]) + 1)
    message = f"the character U+{ord(unprintable[0]):04X} cannot stand in YAML"
    return Source(shown, data, None).problem_at(place, message, "write it as an escape in quotes")
