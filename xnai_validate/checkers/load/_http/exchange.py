"""The request of a load and the head of its answers, as bytes on the wire."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from xnai_validate.wire.http.request import Prepared

HEAD_CAP = 64 * 1024
"""Bytes of an answer's head that may come before it is whole."""
_LENGTH = re.compile(rb"\r\n(?:content-length|transfer-encoding)[ \t]*:", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Exchange:
    """The request that is sent, and how much of an answer is read."""

    prepared: Prepared
    data: bytes
    """The request on the wire."""
    host: str
    """The host, or an address of it, so that it is not looked up for every connection."""
    answer_cap: int
    """Bytes of an answer, head and body, as they are on the wire."""
    choose: Callable[[], bytes] | None = None
    """Returns the request that is sent next, where they vary."""


def final_head(data: bytes) -> bytes | None:
    """Return the head of the first response in the data that is not an interim one; None if it is not complete."""
    *heads, _ = data.split(b"\r\n\r\n")
    return next((head for head in heads if not head.startswith(b"HTTP/1.1 1")), None)


def declares_length(head: bytes) -> bool:
    """Whether a head declares where its body ends; if not, the body ends where the connection does."""
    return _LENGTH.search(head) is not None
