"""A page of text: styled, wrapped to a width, measured in terminal cells; nothing in it is ever read as markup."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Literal

from xnai_validate.model.text import printable

Style = Literal["", "bold", "dim", "red", "green", "yellow", "cyan", "bold red", "bold green", "bold yellow"]
Span = tuple[str, Style]
"""A piece of text and how it looks."""

_CODES: dict[Style, str] = {
    "": "",
    "bold": "1",
    "dim": "2",
    "red": "31",
    "green": "32",
    "yellow": "33",
    "cyan": "36",
    "bold red": "1;31",
    "bold green": "1;32",
    "bold yellow": "1;33",
}
NARROWEST = 40
"""A terminal below this width gets lines of this width; it wraps them itself."""


def cells(text: str) -> int:
    """How many columns of a terminal a printable text takes (Unicode TR 11: wide and fullwidth take two)."""
    if text.isascii():
        return len(text)
    return sum(_cell(char) for char in text)


def _cell(char: str) -> int:
    if unicodedata.combining(char) or unicodedata.category(char) in ("Mn", "Me"):
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1


def wrap(text: str, width: int) -> list[str]:
    """`text` in lines of at most `width` cells, broken at spaces; a longer word is broken where the line ends."""
    lines: list[str] = []
    line = ""
    for word in re.findall(r" *[^ ]+", text):
        if line and cells(line) + cells(word) > width:
            lines.append(line)
            line = ""
        rest = word if line else word.lstrip(" ")
        while cells(line) + cells(rest) > width:
            head = _head(rest, width)
            lines.append(head)
            rest = rest[len(head) :]
        line += rest
    return [*lines, line] if line or not lines else lines


def _head(text: str, width: int) -> str:
    """The longest beginning of `text` that fits, at least one character."""
    used = 0
    for index, char in enumerate(text):
        used += _cell(char)
        if used > width and index:
            return text[:index]
    return text


@dataclass(slots=True)
class Page:
    """Lines of text, built from the top; every text that is added is made printable first."""

    width: int
    color: bool = False
    unicode: bool = True
    lines: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.width = max(self.width, NARROWEST)

    def blank(self) -> None:
        """An empty line, never two in a row and never the first."""
        if self.lines and self.lines[-1]:
            self.lines.append("")

    def line(self, *spans: Span | str, right: Span | None = None) -> None:
        """One line, not wrapped; `right` stands at the right edge where there is room for it."""
        styled: list[Span] = [(span, "") if isinstance(span, str) else span for span in spans]
        plain = [(self._shown(text), style) for text, style in styled]
        out = "".join(self._styled(text, style) for text, style in plain)
        if right is not None:
            used, tail = sum(cells(text) for text, _ in plain), self._shown(right[0])
            gap = self.width - used - cells(tail)
            out += " " * max(gap, 2) + self._styled(tail, right[1])
        self.lines.append(out.rstrip())

    def text(self, text: str, *, indent: int = 0, style: Style = "", lead: Span = ("", ""), right: str = "") -> None:
        """A text wrapped under itself; `lead` stands before its first line, `right` at that line's right edge."""
        room = self.width - indent
        start = lead[0].ljust(indent)
        tail = self._shown(right)
        parts = wrap(self._shown(text), max(room - (cells(tail) + 2 if tail else 0), 20))
        for number, part in enumerate(parts):
            margin: Span = (start, lead[1]) if number == 0 else (" " * indent, "")
            self.line(margin, (part, style), right=(tail, "dim") if tail and number == 0 else None)

    def table(
        self,
        rows: Sequence[Sequence[Span]],
        *,
        numeric: Iterable[int] = (),
        indent: int = 0,
        gap: int = 2,
    ) -> None:
        """Rows in columns as wide as their widest cell, the last one wrapped; `numeric` columns stand to the right."""
        if not rows:
            return
        shown = [[(self._shown(text), style) for text, style in row] for row in rows]
        count = max(len(row) for row in shown)
        widths = [max((cells(row[i][0]) for row in shown if i < len(row)), default=0) for i in range(count)]
        right = set(numeric)
        last = count - 1
        room = max(self.width - indent - sum(widths[:last]) - gap * last, 20)
        for row in shown:
            spans: list[Span] = [(" " * indent, "")]
            for i, (text, style) in enumerate(row[:last]):
                pad = " " * (widths[i] - cells(text))
                spans += [(pad, ""), (text, style)] if i in right else [(text, style), (pad, "")]
                spans.append((" " * gap, ""))
            self._last_cell(spans, row, last, min(widths[last], room) if last in right else room, last in right)

    def _last_cell(self, spans: list[Span], row: Sequence[Span], last: int, room: int, to_right: bool) -> None:
        if len(row) <= last:
            self.line(*spans)
            return
        text, style = row[last]
        margin = sum(cells(part) for part, _ in spans)
        for number, part in enumerate(wrap(text, room)):
            pad = " " * (room - cells(part)) if to_right else ""
            before = spans if number == 0 else [(" " * margin, "")]
            self.line(*before, (pad, ""), (part, style))

    def rule(self, title: str, style: Style = "bold") -> None:
        """A heading with a line up to the right edge."""
        sign = "─" if self.unicode else "-"
        room = max(self.width - cells(title) - 1, 2)
        self.blank()
        self.lines.append(f"{self._styled(self._shown(title), style)} {self._styled(sign * room, 'dim')}")

    def __str__(self) -> str:
        return "\n".join(self.lines) + "\n" if self.lines else ""

    def _shown(self, text: str) -> str:
        text = printable(text)
        return text if self.unicode else text.encode("ascii", "backslashreplace").decode("ascii")

    def _styled(self, text: str, style: Style) -> str:
        return f"\x1b[{_CODES[style]}m{text}\x1b[0m" if self.color and style and text else text
