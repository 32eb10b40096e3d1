"""Ways in which such a stack is really broken, for the embedded stack to have on demand: a package a topic.

To add a defect, write one file, or add to one: `defects/<topic>/<file>.py`.

1. `NAME = Defect("some-name", "One sentence.", checks=("category/suite:id",))`, with `layout=` if only one has it.
2. Wrap a function of healthy code that is marked `@seam`: `@NAME.wraps(function)` on what runs instead, which gets the
   original and its arguments, or `NAME.changes(function, lambda result: ...)` for another result.
3. If no seam fits, mark a function of healthy code with `@seam`; it must make sense without the defect.
4. `xnai-validate prove --defect some-name` shows that the named checks catch it; no list needs an entry.
"""

from __future__ import annotations

from xnai_validate.demo.defects.catalogue import CATALOGUE, TOPICS, UnknownDefect, by_name, chosen, wrappers_of
from xnai_validate.demo.defects.defect import Defect

__all__ = ["CATALOGUE", "TOPICS", "Defect", "UnknownDefect", "by_name", "chosen", "wrappers_of"]
