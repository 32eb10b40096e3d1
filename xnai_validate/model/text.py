"""Text that came from a server is data: what of it may reach a terminal or a file, with its secrets masked."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable
from functools import lru_cache
from operator import is_
from urllib.parse import quote

from pydantic import JsonValue

MASK = "***"
CUT = "... ("
"""The beginning of the note after a text that was cut short."""


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


# Named, because building such a union takes as long as masking a text.
_LISTS = (list, tuple)
_NESTED = (dict, list, tuple)
_NUMBERS = frozenset({int, float, bool, type(None)})
"""Types whose values cannot be secret."""


KEYS_CAP = 4096
"""The number of keys that are remembered."""


class Masker:
    """Replaces secrets by `***` in everything that becomes an event."""

    SHORTEST = 4
    """Shorter secrets would mask half of every text."""

    def __init__(self, secrets: Iterable[str]) -> None:
        known = {form for s in secrets if len(s) >= self.SHORTEST for form in _forms(s)}
        self._known = sorted(known, key=lambda form: (-len(form), form))
        self._pattern = re.compile("|".join(map(re.escape, self._known))) if known else None
        self._plain_keys: set[str] = set()
        """Keys without secrets: those of facts are the same in every check."""

    def text(self, text: str) -> str:
        """`text` without secrets, and without the userinfo of urls and bearer tokens in it."""
        if self._pattern is not None:
            text = self._pattern.sub(MASK, text)
            if CUT in text:
                text = CUT.join([*map(self._without_begun, text.split(CUT)[:-1]), text.split(CUT)[-1]])
        if "@" in text:
            text = _USERINFO.sub(rf"\1{MASK}@", text)
        return _BEARER.sub(rf"\1 {MASK}", text) if "earer " in text or "asic " in text else text

    def _without_begun(self, text: str) -> str:
        """`text` without the beginning of a secret at its end, which a cut has left there."""
        for secret in self._known:
            at = text.find(secret[: self.SHORTEST], max(0, len(text) - len(secret)))
            while at >= 0:
                if secret.startswith(text[at:]):
                    return text[:at] + MASK
                at = text.find(secret[: self.SHORTEST], at + 1)
        return text

    def json(self, value: JsonValue) -> JsonValue:
        """A JSON document without secrets; values under names such as Authorization are masked whole.

        A value without secrets is returned itself, not a copy: a run keeps the facts of all its checks.
        """
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, dict):
            plain = self._plain_keys
            masked = {
                key if key in plain else self._key(key): item if type(item) in _NUMBERS else self._item(key, item)
                for key, item in value.items()
            }
            return value if _same(masked, value) and _same(masked.values(), value.values()) else masked
        if isinstance(value, _LISTS):
            items = [self.json(item) for item in value]
            return value if isinstance(value, list) and _same(items, value) else items
        return value

    def _key(self, key: str) -> str:
        text = self.text(key)
        if text == key and len(self._plain_keys) < KEYS_CAP:
            self._plain_keys.add(key)
        return text

    def _item(self, key: str, item: JsonValue) -> JsonValue:
        if isinstance(item, str):
            return MASK if item and looks_secret(key) else self.text(item)
        return self.json(item) if isinstance(item, _NESTED) else item


def _same(after: Collection[JsonValue], before: Collection[JsonValue]) -> bool:
    return len(after) == len(before) and all(map(is_, after, before))


def _forms(secret: str) -> set[str]:
    """The secret itself, and its spelling in a url, in JSON and in printable text."""
    quoted = json.dumps(secret, ensure_ascii=False)[1:-1]
    return {secret, quote(secret, safe=""), quoted, printable(secret), printable(quoted)}


_USERINFO = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*://)[^/\s@]+@")
_BEARER = re.compile(r"\b(Bearer|bearer|Basic|basic) [A-Za-z0-9._~+/=-]{4,}")
_SECRET_NAME = re.compile(
    r"pass(word|wd|phrase)?$|passwd|secret|(^|[_-])token$|api[_-]?key|authorization|^(set-)?cookie$|credential",
    re.IGNORECASE,
)


@lru_cache(maxsize=4096)
def looks_secret(name: str) -> bool:
    """Whether the value of a variable, header or key with this name is to be masked."""
    return _SECRET_NAME.search(name) is not None
