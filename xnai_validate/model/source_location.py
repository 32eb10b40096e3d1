"""Locations in files, and the errors found there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from xnai_validate.errors import ConfigError


@dataclass(frozen=True, slots=True)
class SourceLocation:
    """A line of a file (lines and columns count from 1)."""

    file: str
    line: int
    column: int = 1

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


@dataclass(frozen=True, slots=True)
class Problem:
    """One error in a profile, a suite or on the command line."""

    message: str
    place: SourceLocation | None = None
    hint: str | None = None
    excerpt: str | None = None
    """The line of the file, or the part of a long one around the place."""
    excerpt_start: int = 0
    """The number of characters of the line before that part."""

    def __str__(self) -> str:
        where = f"{self.place}: " if self.place else ""
        hint = f"; {self.hint}" if self.hint else ""
        return f"{where}{self.message}{hint}"


class InvalidConfig(ConfigError):
    """All errors of a profile, reported together."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = tuple(problems)
