"""A page of text for a terminal: paragraphs, tables and headings, laid out by rich.

Text that came from a server is data: every text is made printable and handed to rich as `Text`, which reads no markup,
no emoji codes and no escape sequences in it.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator, Sequence
from io import StringIO
from typing import Literal

from rich.console import Console, RenderableType
from rich.padding import Padding
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from xnai_validate.model.text import printable

Style = Literal["", "bold", "dim", "red", "green", "yellow", "cyan", "bold red", "bold green", "bold yellow"]
Span = tuple[str, Style]
"""A piece of text and its style."""

_SEPARATORS = ",;&?/|"
"""Characters after which a word may go on in the next line, where it is longer than one."""
_STYLE_END = "\x1b[0m"
NARROWEST = 40
"""A terminal below this width gets lines of this width; it wraps them itself."""
NARROWEST_CELL = 24
"""Columns that the last cell of a table needs at least; where they are missing, it goes below the other cells."""
STACKED_INDENT = 4
"""Columns by which a cell is indented that goes below the others."""


class Page:
    """Text that is built from the top and wrapped between words; only a word longer than a line is broken.

    Args:
        width: columns of the page, at least `NARROWEST`.
        color: whether styles become ANSI escape sequences.
        unicode: whether characters beyond ASCII may be used; without them they become escapes.
    """

    def __init__(self, width: int, color: bool = False, unicode: bool = True) -> None:
        self.width = max(width, NARROWEST)
        self.unicode = unicode
        self._buffer = StringIO()
        self._after_blank = True
        self._console = Console(
            file=self._buffer,
            width=self.width,
            height=25,  # with a width and a height, rich does not look at the terminal
            force_terminal=color,
            color_system="standard" if color else None,
            no_color=not color,
            legacy_windows=False,
            markup=False,
            emoji=False,
            highlight=False,
        )

    def blank(self) -> None:
        """Append an empty line, never two in a row and never as the first."""
        if not self._after_blank:
            self._buffer.write("\n")
            self._after_blank = True

    def line(self, text: str, style: Style = "") -> None:
        """Append a line of an example, whose indentation counts; what is too long for the page goes on deeper."""
        margin = " " * (len(text) - len(text.lstrip()) + 2)
        for part in textwrap.wrap(
            text, self.width, subsequent_indent=margin, break_long_words=False, break_on_hyphens=False
        ):
            self._print_part(self._styled_text(part, style))

    def text(self, text: str, *, indent: int = 0, style: Style = "", lead: Span = ("", ""), right: str = "") -> None:
        """Append a paragraph, wrapped and indented.

        Args:
            text: the paragraph.
            indent: columns before each of its lines.
            style: the style of the paragraph.
            lead: a label in the indented columns of the first line; a longer one gets a line of its own.
            right: a short text at the right edge of the first line.
        """
        if not lead[0] and not right:
            self._print_part(Padding(self._paragraph(text, style, self.width - indent), (0, 0, 0, indent)))
            return
        label = self._styled_text(*lead)
        if label.cell_len >= indent and label.cell_len:
            self._print_part(label)
            label = Text()
        room = self.width - indent - (len(right) + 2 if right else 0)
        row = [label, self._paragraph(text, style, room)]
        grid = Table.grid(expand=True)
        grid.add_column(width=indent, no_wrap=True)
        grid.add_column(ratio=1, overflow="fold")
        if right:
            grid.add_column(no_wrap=True, justify="right")
            row.append(Text("  ") + self._styled_text(right, "dim"))
        grid.add_row(*row)
        self._print_part(grid)

    def table(
        self, rows: Sequence[Sequence[Span]], *, numeric: Iterable[int] = (), indent: int = 0, gap: int = 2
    ) -> None:
        """Append rows in columns as wide as their widest cell; the cells of the last column are wrapped.

        Args:
            rows: the cells of each row; all rows have the same length.
            numeric: the numbers of the columns that are aligned to the right.
            indent: columns before the table.
            gap: columns between two columns of the table.
        """
        cells = [[self._styled_text(*span) for span in row] for row in rows]
        if not cells:
            return
        if not self.has_room_for(rows, indent=indent, gap=gap):
            self._stack_rows(cells, indent, gap)
            return
        right, last = set(numeric), len(cells[0]) - 1
        grid = Table.grid(padding=(0, gap, 0, 0))
        for number in range(last + 1):
            justify: Literal["left", "right"] = "right" if number in right else "left"
            grid.add_column(justify=justify, no_wrap=number != last or number in right, overflow="fold")
        for row in cells:
            grid.add_row(*row)
        self._print_part(Padding(grid, (0, 0, 0, indent)))

    def has_room_for(self, rows: Sequence[Sequence[Span]], *, indent: int, gap: int) -> bool:
        """Whether a table fits, at most with its last column wrapped."""
        columns = zip(*rows, strict=True)
        *others, last = [max(self._styled_text(*span).cell_len for span in column) for column in columns]
        return indent + sum(others) + gap * len(others) + min(last, NARROWEST_CELL) <= self.width

    def _stack_rows(self, rows: Sequence[Sequence[Text]], indent: int, gap: int) -> None:
        """Return the rows of a table that is wider than the page: the last cell of each goes below the others."""
        for *others, last in rows:
            first = Text(" " * gap).join([cell for cell in others if cell.plain])
            for cell, margin in ((first, indent), (last, indent + STACKED_INDENT)):
                if cell.plain:
                    self._print_part(Padding(cell, (0, 0, 0, margin)))

    def rule(self, title: str, style: Style = "bold") -> None:
        """Append a heading after an empty line, with a line up to the right edge."""
        self.blank()
        text = self._styled_text(title, style)
        if text.cell_len > self.width - NARROWEST_CELL // 4:  # rich would cut it
            self._print_part(text)
        else:
            self._print_part(Rule(text, characters="─" if self.unicode else "-", style="dim", align="left"))

    def __str__(self) -> str:
        return self._buffer.getvalue()

    def _print_part(self, part: RenderableType) -> None:
        """Print a part of the page into the buffer."""
        with self._console.capture() as capture:
            self._console.print(part, crop=False)
        for line in capture.get().removesuffix("\n").split("\n"):
            self._buffer.write(_without_fill(line) + "\n")
        self._after_blank = False

    def _paragraph(self, text: str, style: Style, room: int) -> Text:
        """The text; a word that is longer than a line, such as JSON without spaces, is broken after a separator."""
        shown, room = self._styled_text(text, style), max(room, NARROWEST_CELL)
        if all(len(word) <= room for word in shown.plain.split(" ")):
            return shown
        words = ("\n".join(_parts(word, room)) for word in shown.plain.split(" "))
        return Text.assemble((" ".join(words), style), overflow="fold")

    def _styled_text(self, text: str, style: Style) -> Text:
        """Return a printable text in a style; without Unicode, other characters as escapes."""
        shown = printable(text)
        if not self.unicode:
            shown = shown.encode("ascii", "backslashreplace").decode("ascii")
        # A style of the characters alone: rich would give that of a Text to the spaces that fill its cell, too.
        return Text.assemble((shown, style), overflow="fold")


def _parts(word: str, room: int) -> Iterator[str]:
    """The parts of a word, none longer than a line: each ends after a separator where it has one."""
    begin = 0
    while len(word) - begin > room:
        ends = range(begin + room, begin + room // 3, -1)
        end = next((end for end in ends if word[end - 1] in _SEPARATORS), begin + room)
        yield word[begin:end]
        begin = end
    yield word[begin:]


def _without_fill(line: str) -> str:
    """The line without the spaces with which rich fills its last cell, before or after the end of a style."""
    line = line.rstrip(" ")
    if not line.endswith(_STYLE_END):
        return line
    return line.removesuffix(_STYLE_END).rstrip(" ") + _STYLE_END
