"""Text that came from a server is data: what of it may reach a terminal or a file."""

from __future__ import annotations

from unicodedata import category


def printable(text: str) -> str:
    """`text` with every control, format and bidirectional character shown as an escape: a terminal only prints it.

    Line ends and tabs are escaped too: one value stays on one line.
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(char if is_plain(char) else _escape(char) for char in text)


def is_plain(char: str) -> bool:
    """Whether a terminal prints the character, and does nothing else with it."""
    return category(char) not in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")


def _escape(char: str) -> str:
    """Return a character as an escape sequence of Python."""
    return char.encode("unicode_escape").decode("ascii")
