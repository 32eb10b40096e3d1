"""Ways in which such a stack is really broken, for the embedded stack to have on demand: a package a topic."""

from __future__ import annotations

from xnai_validate.demo.defects.catalogue import CATALOGUE, TOPICS, UnknownDefect, by_name, chosen, wrappers_of
from xnai_validate.demo.defects.defect import Defect

__all__ = ["CATALOGUE", "TOPICS", "Defect", "UnknownDefect", "by_name", "chosen", "wrappers_of"]
