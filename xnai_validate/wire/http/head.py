"""The status line and headers of a response."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from sys import intern


@dataclass(frozen=True, slots=True)
class Head:
    """The status line and headers of a response."""

    status: int
    reason: str
    http_version: str
    """`1.1`, `1.0` or `2`."""
    headers: dict[str, str]
    """Names in lower case; several of one name are joined by a comma and a space."""
    raw: tuple[tuple[bytes, bytes], ...]
    """Every header in its order, as it came."""

    @property
    def set_cookies(self) -> tuple[str, ...]:
        """Each `Set-Cookie` by itself: joined by commas they could not be separated again, since dates have commas."""
        return tuple(_header_value(value) for name, value in self.raw if name.lower() == b"set-cookie")


def head_of(status: int, reason: bytes, version: bytes, raw: Iterable[tuple[bytes, bytes]]) -> Head:
    """The head with its headers as text; bytes that are not UTF-8 become U+FFFD."""
    pairs = tuple(raw)
    headers: dict[str, str] = {}
    for name, value in pairs:
        key, text = _header_name(name), _header_value(value)
        headers[key] = f"{headers[key]}, {text}" if key in headers else text
    return Head(status, _header_value(reason), version.decode("ascii").removeprefix("HTTP/"), headers, pairs)


@lru_cache(maxsize=512)
def _header_name(name: bytes) -> str:
    """Return the name of a header in lower case."""
    # Servers repeat the same names, and a run keeps them all.
    return intern(name.decode("ascii", "replace").lower())


def _header_value(value: bytes) -> str:
    """Return the value of a header as text."""
    return value.decode("utf-8", "replace")
