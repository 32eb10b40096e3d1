"""Text in Markdown without any meaning there, and tables."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence

from xnai_validate.model.text import printable

_SPECIAL = re.compile(r"[\\`*_\[\]#|<>~&]|:(?=//)|(?<=www)\.")
_LEADING = re.compile(r"^(\d*)([-+=.):])")
"""What begins a list or a heading at the start of a line."""


def safe_text(text: str) -> str:
    """Return text without any meaning in Markdown: no markup, list, mention, link or control character."""
    escaped = _SPECIAL.sub(r"\\\g<0>", printable(text).strip())
    return _LEADING.sub(r"\1\\\2", escaped).replace("@", "@<!-- -->")


def table_text(rows: Sequence[Sequence[str]], *, numeric: Collection[int] = ()) -> str:
    """Return a table whose first row is its head; the columns with the numbers of `numeric` are aligned right."""
    lines = [f"| {' | '.join(row)} |" for row in rows]
    ruler = "|".join("---:" if column in numeric else "---" for column in range(len(rows[0])))
    return "\n".join([lines[0], f"|{ruler}|", *lines[1:]]) + "\n"
