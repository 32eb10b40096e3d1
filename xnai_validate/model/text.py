"""Text that came from a server is data: what of it may reach a terminal, a file, or anybody at all."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping

from xnai_validate.model.json import JsonValue

MASK = "***"


def printable(text: str) -> str:
    """`text` with every control, format and bidirectional character shown as an escape: a terminal only prints it.

    Line ends and tabs are escaped too: one value stays on one line.
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(char if _is_plain(char) else _escaped(char) for char in text)


def _is_plain(char: str) -> bool:
    return unicodedata.category(char) not in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")


def _escaped(char: str) -> str:
    return char.encode("unicode_escape").decode("ascii")


class Masker:
    """Replaces secrets by `***` in everything that becomes an event."""

    SHORTEST = 4
    """Shorter secrets would mask half of every text."""

    def __init__(self, secrets: Iterable[str]) -> None:
        known = sorted({s for s in secrets if len(s) >= self.SHORTEST}, key=len, reverse=True)
        self._pattern = re.compile("|".join(map(re.escape, known))) if known else None

    def text(self, text: str) -> str:
        """`text` without secrets, and without the userinfo of urls and bearer tokens in it."""
        if self._pattern is not None:
            text = self._pattern.sub(MASK, text)
        if "@" in text:
            text = _USERINFO.sub(rf"\1{MASK}@", text)
        return _BEARER.sub(rf"\1 {MASK}", text) if "earer " in text or "asic " in text else text

    def json(self, value: JsonValue) -> JsonValue:
        """A JSON document without secrets; values under names such as Authorization are masked whole."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, Mapping):
            return {
                self.text(key): MASK if looks_secret(key) and isinstance(item, str) and item else self.json(item)
                for key, item in value.items()
            }
        if isinstance(value, list | tuple):
            return [self.json(item) for item in value]
        return value


_USERINFO = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*://)[^/\s@]+@")
_BEARER = re.compile(r"\b(Bearer|bearer|Basic|basic) [A-Za-z0-9._~+/=-]{4,}")
_SECRET_NAME = re.compile(
    r"pass(word|wd|phrase)?$|passwd|secret|(^|[_-])token$|api[_-]?key|authorization|^(set-)?cookie$|credential",
    re.IGNORECASE,
)


def looks_secret(name: str) -> bool:
    """Whether the value of a variable, header or key with this name is to be masked."""
    return _SECRET_NAME.search(name) is not None
