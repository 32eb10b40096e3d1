"""Markdown as MkDocs reads it: headings, tables, paragraphs of docstrings."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from textwrap import dedent


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table; without rows, the sentence that there is nothing."""
    lines = [f"| {' | '.join(map(cell, row))} |" for row in rows]
    if not lines:
        return "None.\n"
    return "\n".join([f"| {' | '.join(head)} |", f"|{'---|' * len(head)}", *lines]) + "\n"


def cell(text: str) -> str:
    """Return a text that fits into a cell: one line, with no `|` outside of code that would end the cell."""
    return _outside_code(" ".join(text.split()), lambda piece: piece.replace("|", "\\|"))


def code(text: str) -> str:
    """Return a text as code within a sentence; empty for no text."""
    if not text:
        return ""
    return f"`` {text} ``" if "`" in text else f"`{text}`"


def prose(doc: str) -> str:
    """Return a docstring as Markdown: indented lines after `::` are an example, everything else paragraphs."""
    parts: list[str] = []
    for block in re.split(r"\n{2,}", doc.strip()):
        if block.startswith("    "):
            parts.append(f"```yaml\n{dedent(block)}\n```")
            continue
        before, _, after = block.partition("\n    ")
        parts.append(escape(" ".join(before.split()).replace("::", ":")))
        if after:
            parts.append(f"```yaml\n{dedent('    ' + after)}\n```")
    return "\n\n".join(parts) + "\n"


def escape(text: str) -> str:
    """Return prose in which `<x>`, `[x]` and `*` outside of code stay as they are written."""
    return _outside_code(text, lambda piece: re.sub(r"([<\[*_])", r"\\\1", piece))


def _outside_code(text: str, change: Callable[[str], str]) -> str:
    """Return a text in which everything but the code between backticks is changed."""
    pieces = re.split(r"(`+[^`]*`+)", text)
    return "".join(piece if piece.startswith("`") else change(piece) for piece in pieces)
