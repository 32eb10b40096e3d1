"""Thirty defects of behaviour, chosen from what the stack promises; one of them at a time is in force."""

from __future__ import annotations

from tests.field.defects import answers, edges, memory
from tests.field.defects.defect import Defect

DEFECTS: dict[str, Defect] = {defect.name: defect for defect in (*answers.DEFECTS, *memory.DEFECTS, *edges.DEFECTS)}


def bring_in(name: str, part: str) -> None:
    """Bring the defect into this process, where it is one of this part; an empty name is not a defect."""
    if name and DEFECTS[name].part == part:
        DEFECTS[name].bring_in()
