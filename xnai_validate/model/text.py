"""Text that came from a server is data: what of it may reach a terminal or a file."""

from __future__ import annotations

import json
import re


def printable(text: str) -> str:
    """`text` with every control, format and bidirectional character shown as an escape: a terminal only prints it.

    Line ends and tabs are escaped too: one value stays on one line.
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(char if _is_plain(char) else _escaped(char) for char in text)


def printable_json(document: bytes) -> bytes:
    """A JSON document in which such characters are spelled as escapes: the same document, harmless on a terminal."""
    if document.isascii() and b"\x7f" not in document:
        return document
    return _BEYOND_ASCII.sub(_json_escaped, document.decode()).encode()


_BEYOND_ASCII = re.compile(r"[^\x00-\x7e]")


def _json_escaped(found: re.Match[str]) -> str:
    char = found[0]
    if char == "\x7f":
        return "\\u007f"  # json leaves this one as it is
    return char if _is_plain(char) else json.dumps(char)[1:-1]


def _is_plain(char: str) -> bool:
    import unicodedata

    return unicodedata.category(char) not in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")


def _escaped(char: str) -> str:
    return char.encode("unicode_escape").decode("ascii")
