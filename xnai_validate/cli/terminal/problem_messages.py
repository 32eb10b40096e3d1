"""Error messages on stderr: for errors in files the place, the line of the file, a caret and a hint."""

from __future__ import annotations

from collections.abc import Iterator

from rich.cells import cell_len

from xnai_validate.cli.terminal.console import write_error
from xnai_validate.errors import XnaiError
from xnai_validate.model.source_location import InvalidConfig
from xnai_validate.model.text import printable

SHOWN_CAP = 50
"""Up to this many errors are shown; of more, the first ones and the number of the others."""
EXCERPT_COLUMNS = 100
"""Columns of a line of the file that are shown; of a longer line, the part around the caret."""


def print_error(error: XnaiError) -> None:
    """Write an error to stderr; all errors in files together, each with its line."""
    if isinstance(error, InvalidConfig):
        write_error("\n".join(problem_lines(error)))
        return
    lines = [printable(line) for line in error.message.splitlines()] or [type(error).__name__]
    if error.hint:
        lines.append(f"  {printable(error.hint)}")
    write_error("\n".join(lines))


def problem_lines(error: InvalidConfig) -> Iterator[str]:
    """Yield the lines of all problems: `file:line:column: message`, the line of the file, a caret with the hint."""
    for problem in error.problems[:SHOWN_CAP]:
        place = problem.place
        prefix = f"{place.file}:{place.line}:{place.column}: " if place else ""
        yield printable(f"{prefix}{problem.message}")
        hint = printable(problem.hint) if problem.hint else ""
        if place is not None and problem.excerpt is not None:
            yield from _format_excerpt(place.line, place.column - problem.excerpt_start, problem.excerpt, hint)
        elif hint:
            yield f"  {hint}"
    count = len(error.problems)
    if count > SHOWN_CAP:
        yield f"and {count - SHOWN_CAP} more errors"
    yield f"{count} error{'' if count == 1 else 's'}; no check was run"


def _format_excerpt(line: int, column: int, text: str, hint: str) -> Iterator[str]:
    """Yield the line of the file and, below it, a caret and the hint; of a very long line only a part."""
    before, after = text[: column - 1], text[column - 1 :]
    # Of a very long line only a part is shown, from a little before the caret on.
    cut = max(0, len(before) - EXCERPT_COLUMNS // 2) if len(text) > EXCERPT_COLUMNS else 0
    before = ("..." if cut else "") + before[cut:]
    columns_left = EXCERPT_COLUMNS - len(before)
    after = after if len(after) <= columns_left else after[:columns_left] + "..."
    number = f"{line:>5} | "
    yield f"{number}{printable(before)}{printable(after)}".rstrip()
    yield f"{' ' * 5} | {' ' * cell_len(printable(before))}^ {hint}".rstrip()
