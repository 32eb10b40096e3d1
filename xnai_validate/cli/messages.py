"""InvalidConfig as the user is told them: where, the line as it stands there, a caret, and how to go on."""

from __future__ import annotations

from collections.abc import Iterator

from xnai_validate.cli.console import complain
from xnai_validate.errors import XnaiError

EXCERPT = 100
"""Columns of an excerpt that are shown; of a longer line the part around the caret."""


def tell(error: XnaiError) -> None:
    """Write an error to stderr; mistakes in files all together, each with its line."""
    from xnai_validate.model.source_location import InvalidConfig
    from xnai_validate.model.text import printable

    if isinstance(error, InvalidConfig):
        complain("\n".join(mistakes(error)))
        return
    lines = [printable(line) for line in error.message.splitlines()] or [type(error).__name__]
    if error.hint:
        lines.append(f"  {printable(error.hint)}")
    complain("\n".join(lines))


def mistakes(error: XnaiError) -> Iterator[str]:
    """The lines of all mistakes: `file:line:column: message`, the line of the file, a caret with the hint."""
    from xnai_validate.model.source_location import InvalidConfig
    from xnai_validate.model.text import printable

    problems = error.problems if isinstance(error, InvalidConfig) else ()
    for problem in problems:
        place = problem.place
        where = f"{place.file}:{place.line}:{place.column}: " if place else ""
        yield printable(f"{where}{problem.message}")
        hint = printable(problem.hint) if problem.hint else ""
        if place is not None and problem.excerpt is not None:
            yield from _excerpt(place.line, place.column, problem.excerpt, hint)
        elif hint:
            yield f"  {hint}"
    count = len(problems)
    yield f"{count} mistake{'' if count == 1 else 's'}; nothing was touched"


def _excerpt(line: int, column: int, text: str, hint: str) -> Iterator[str]:
    from rich.cells import cell_len

    from xnai_validate.model.text import printable

    before, after = text[: column - 1], text[column - 1 :]
    # A very long line is shown from a little before the caret on.
    cut = max(0, len(before) - EXCERPT // 2) if len(text) > EXCERPT else 0
    before = ("..." if cut else "") + before[cut:]
    room = EXCERPT - len(before)
    after = after if len(after) <= room else after[:room] + "..."
    number = f"{line:>5} | "
    yield f"{number}{printable(before)}{printable(after)}".rstrip()
    yield f"{' ' * 5} | {' ' * cell_len(printable(before))}^ {hint}".rstrip()
