"""A section of the integration report: text, a table and entries, which each format renders in its own way."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal

from xnai_validate.report.faults import IN_FORCE, NOT_VERIFIED, VERIFIED

Row = tuple[str, ...]
Tone = Literal["", "good", "odd", "bad"]

_TONES: dict[str, Tone] = {
    **dict.fromkeys(("ready", "passed", "met", "covered", VERIFIED), "good"),
    **dict.fromkeys(("ready with conditions", "partly covered", "not covered", "medium", "low", "undecided"), "odd"),
    **dict.fromkeys(
        ("not ready", "failed", "not met", "critical", "high", "not undone", "stopped", NOT_VERIFIED, IN_FORCE), "bad"
    ),
}


def tone_of(word: str) -> Tone:
    """Return how a word of a report sounds; an empty text if it is neither good nor bad."""
    return _TONES.get(word, "")


@dataclass(frozen=True, slots=True)
class Entry:
    """A titled list of labels and texts."""

    title: str
    lines: tuple[tuple[str, str], ...]
    severity: str = ""
    """The severity of what the entry is about, if it has one."""


@dataclass(frozen=True, slots=True)
class Section:
    """A heading with what stands under it; what is empty is left out."""

    title: str
    paragraphs: tuple[str, ...] = ()
    items: tuple[str, ...] = ()
    """A list."""
    table: tuple[Row, ...] = ()
    """The head, then the rows."""
    numeric: Collection[int] = ()
    """The columns of the table that are aligned right, from 0."""
    entries: tuple[Entry, ...] = ()

    @property
    def columns(self) -> list[int]:
        """The columns of the table with a text in a row; none if it has no rows."""
        _, *rows = self.table or ((),)
        return [column for column in range(len(self.table[0])) if any(row[column] for row in rows)] if rows else []
