"""Three versions of a file: as it was written, as a person has edited it, and as it would be written now."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher


@dataclass(frozen=True, slots=True)
class MergedText:
    """The edited text with the changes that do not touch an edit."""

    text: str
    conflicts: int
    """How many changes were left out because a person has edited the same lines."""


def merge_edits(written: str, edited: str, new: str) -> MergedText:
    """Bring the edited text up to date: changes from `written` to `new` are made where the person changed nothing."""
    base, mine, theirs = (text.splitlines(keepends=True) for text in (written, edited, new))
    out: list[str] = []
    conflicts = 0
    base_at = mine_at = their_at = 0
    for base_start, mine_start, their_start, length in _common(base, mine, theirs):
        old, own, other = base[base_at:base_start], mine[mine_at:mine_start], theirs[their_at:their_start]
        if own == old:
            out += other
        elif other == old or own == other:
            out += own
        else:
            out += own
            conflicts += 1
        out += mine[mine_start : mine_start + length]
        base_at, mine_at, their_at = base_start + length, mine_start + length, their_start + length
    return MergedText("".join(out), conflicts)


def _common(base: list[str], mine: list[str], theirs: list[str]) -> Iterator[tuple[int, int, int, int]]:
    """The runs of lines that are the same in all three: where each begins, and its length; at the end an empty one."""
    in_mine = SequenceMatcher(None, base, mine, autojunk=False).get_matching_blocks()
    in_theirs = SequenceMatcher(None, base, theirs, autojunk=False).get_matching_blocks()
    for own in in_mine:
        for other in in_theirs:
            start, end = max(own.a, other.a), min(own.a + own.size, other.a + other.size)
            if start < end:
                yield start, own.b + start - own.a, other.b + start - other.a, end - start
    yield len(base), len(mine), len(theirs), 0
