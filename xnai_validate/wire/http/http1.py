"""Responses of HTTP/1.1 (RFC 9112) as a client reads them, out of bytes that come in any pieces.

As strict and as lenient as h11, with which every property is tested, in a fifth of its time: of a run of small checks
this is a large part.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from sys import intern

HEAD_CAP = 64 * 1024
"""Bytes of a head, of the trailers or of the line before a chunk; larger ones are refused."""
KEPT_LINE = 256
"""Bytes of a header's line up to which what it says is remembered."""

# What a token and the value of a header may be, as bytes (RFC 9110 sections 5.6.2 and 5.5).
TOKEN = rb"[-!#$%&'*+.^_`|~0-9a-zA-Z]+"
VALUE = rb"(?:[^\x00\s]+(?:[ \t]+[^\x00\s]+)*)?"
_STATUS = re.compile(rb"HTTP/([0-9]\.[0-9]) ([0-9]{3})(?: ((?:[ \t]|[^\x00\s])*))?")
_FIELD = re.compile(rb"(" + TOKEN + rb"):[ \t]*(" + VALUE + rb")[ \t]*")
_CHUNK = re.compile(rb"([0-9A-Fa-f]{1,20})(?:;.*)?[ \t]*")
_BLANK = re.compile(rb"\n\r?\n")
_FOLD = b" \t"
LENGTH_DIGITS = 20
"""Digits of a Content-Length; more are refused."""
_CRLF = b"\r\n"


class Malformed(Exception):
    """What came is no response as RFC 9112 wants it; the message says what is wrong with it."""


class TooLarge(Malformed):
    """A part that must be read as a whole is larger than `HEAD_CAP`."""


class Cut(Malformed):
    """The connection has ended within the response."""


@dataclass(frozen=True, slots=True)
class Head:
    """The status line and headers of a response."""

    status: int
    reason: str
    http_version: str
    """`1.1` or `1.0`."""
    headers: dict[str, str]
    """Names in lower case; several of one name are joined by a comma and a space."""


class Responses:
    """The responses on one connection, one after the other."""

    __slots__ = (
        "_chunked",
        "_closed",
        "_data",
        "_end_left",
        "_keeps",
        "_left",
        "_method",
        "_searched",
        "_trailing",
        "_upgrades",
        "ended",
    )

    def __init__(self) -> None:
        self._data = bytearray()
        self._closed = False
        self.expect("GET")

    def expect(self, method: str, *, upgrades: bool = False, closes: bool = False) -> None:
        """What comes next answers a request of this method, which asked to switch the protocol or to close."""
        self._method, self._upgrades, self._keeps = method, upgrades, not closes
        self._searched = 0
        self._chunked = self._trailing = False
        self._left: int | None = 0
        """Bytes of the body, or of the present chunk, that are to come; None where the connection's end is its end."""
        self._end_left = 0
        """Bytes of the line break behind a chunk that are to come."""
        self.ended = False
        """Whether the body was taken to its end."""

    @property
    def reusable(self) -> bool:
        """Whether another request may be sent: both sides would keep the connection, and nothing else has come."""
        return self.ended and self._keeps and not self._closed and not self._data

    def feed(self, data: bytes) -> None:
        """Bytes as they came; none means that the connection has ended."""
        if data:
            self._data += data
        else:
            self._closed = True

    def head(self) -> Head | None:
        """The next head, those of interim responses (1xx) too; None where more must come. Raises Malformed."""
        data = self._data
        if data and data[0] < 0x21:
            raise Malformed(f"a response begins with HTTP/, not with {bytes(data[:8])!r}")
        lines = self._lines()
        if lines is None:
            return None
        line = _STATUS.fullmatch(lines[0])
        if line is None:
            raise Malformed(f"no status line: {_shown(lines[0])}")
        status = int(line[2])
        if status < 100:
            raise Malformed(f"a status is 100 or above, not {line[2].decode()}")
        headers, chunked, length = _fields(lines[1:])
        version = line[1].decode()
        head = Head(status, (line[3] or b"").decode("utf-8", "replace"), version, headers)
        if status >= 200 or status == 101:
            self._frame(head, chunked, length)
        return head

    def _frame(self, head: Head, chunked: bool, length: int | None) -> None:
        """How the body ends (RFC 9112 section 6.3), and whether the connection may outlive it (section 9.3)."""
        connection = head.headers.get("connection", "").lower().split(",")
        if head.http_version < "1.1" or "close" in [one.strip(" \t") for one in connection]:
            self._keeps = False
        if head.status == 101 and not self._upgrades:
            raise Malformed("the protocol is switched (101), which was not asked for")
        if head.status == 101 or (self._method == "CONNECT" and head.status < 300):
            self._keeps = False
        elif self._method != "HEAD" and head.status not in (204, 304):
            self._chunked = chunked
            self._left = 0 if chunked else length

    def take(self, limit: int) -> list[bytes]:
        """What is there of the body, in at most so many pieces; none where more must come or all is taken.

        Raises Malformed.
        """
        if self.ended:
            return []
        if self._chunked:
            return self._chunks(limit)
        piece = bytes(self._data if self._left is None else self._data[: self._left])
        del self._data[: len(piece)]
        if self._left is None:
            self.ended = self._closed
        else:
            self._left -= len(piece)
            self.ended = not self._left
            if self._left and self._closed and not piece:
                raise Cut(f"{self._left} bytes of the body are missing")
        return [piece] if piece else []

    def _chunks(self, limit: int) -> list[bytes]:
        found: list[bytes] = []
        at = 0
        try:
            while len(found) < limit and not self._trailing:
                if self._left:
                    piece = bytes(self._data[at : at + self._left])
                    if not piece:
                        break
                    found.append(piece)
                    at += len(piece)
                    self._left -= len(piece)
                    self._end_left = 0 if self._left else len(_CRLF)
                elif self._end_left:
                    piece = bytes(self._data[at : at + self._end_left])
                    if not piece:
                        break
                    if not _CRLF[len(_CRLF) - self._end_left :].startswith(piece):
                        raise Malformed(f"a chunk ends with a line break, not with {piece!r}")
                    at += len(piece)
                    self._end_left -= len(piece)
                else:
                    end = self._data.find(_CRLF, max(at, self._searched))
                    if end < 0:
                        self._searched = max(at, len(self._data) - 1)
                        break
                    self._left = _chunk_size(bytes(self._data[at:end]))
                    self._trailing = not self._left
                    at, self._searched = end + len(_CRLF), 0
        finally:
            del self._data[:at]
            self._searched = max(0, self._searched - at)
        if self._trailing and len(found) < limit:
            self._trailers()
        elif not found:
            self._need_more()
        return found

    def _trailers(self) -> None:
        """Take the trailers, which must have the form of headers and say nothing here."""
        lines = self._lines(may_be_empty=True)
        if lines is not None:
            _fields(lines)
            self.ended = True

    def _lines(self, *, may_be_empty: bool = False) -> list[bytes] | None:
        """The lines up to a blank one; None where more must come."""
        data = self._data
        if may_be_empty and (data[:1] == b"\n" or data[:2] == _CRLF):
            del data[: 1 if data[:1] == b"\n" else 2]
            return []
        blank = _BLANK.search(data, self._searched)
        if blank is None:
            self._searched = max(0, len(data) - 2)
            self._need_more()
            return None
        if blank.end() > HEAD_CAP:
            raise TooLarge(f"more than {HEAD_CAP} bytes of headers")
        block = bytes(data[: blank.end()])
        del data[: blank.end()]
        self._searched = 0
        return [line[:-1] if line.endswith(b"\r") else line for line in block.split(b"\n")[:-2]]

    def _need_more(self) -> None:
        if len(self._data) > HEAD_CAP:
            raise TooLarge(f"more than {HEAD_CAP} bytes of headers, or of the line before a chunk")
        if self._closed:
            raise Cut("the end is missing")


def _chunk_size(line: bytes) -> int:
    size = _CHUNK.fullmatch(line)
    if size is None:
        raise Malformed(f"a chunk begins with its size, not with {_shown(line)}")
    return int(size[1], 16)


def _unfolded(lines: list[bytes]) -> list[bytes]:
    """The lines, with those that begin with a blank put behind the ones before them (RFC 9112 section 5.2)."""
    if not any(line[:1] in (b" ", b"\t") for line in lines):
        return lines
    whole: list[list[bytes]] = []
    for line in lines:
        if line[:1] not in (b" ", b"\t"):
            whole.append([line])
        elif whole:
            whole[-1].append(line.lstrip(_FOLD))
        else:
            raise Malformed("the first line is a continuation")
    return [b" ".join(parts) for parts in whole]


def _fields(lines: list[bytes]) -> tuple[dict[str, str], bool, int | None]:
    """The headers, whether the body is chunked, and its length where one is declared."""
    headers: dict[str, str] = {}
    chunked = False
    for line in _unfolded(lines):
        name, value = _field(line) if len(line) <= KEPT_LINE else _read_field(line)
        if name == "content-length":
            value = _length(value)
            if headers.setdefault(name, value) != value:
                raise Malformed("several values of Content-Length")
            continue
        if name == "transfer-encoding":
            if chunked or value.lower() != "chunked":
                raise Malformed(f"a transfer coding other than chunked: {value[:80]}")
            chunked, value = True, "chunked"
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    length = headers.get("content-length")
    return headers, chunked, None if length is None else int(length)


def _length(value: str) -> str:
    """The one length that a Content-Length declares, which may say it several times (RFC 9110 section 8.6)."""
    said = {one.strip(_FOLD.decode()) for one in value.split(",")}
    digits = said.pop()
    if said:
        raise Malformed("several values of Content-Length")
    if not (digits.isascii() and digits.isdigit() and len(digits) <= LENGTH_DIGITS):
        raise Malformed(f"a Content-Length of {digits[:80]!r}")
    return digits


def _read_field(line: bytes) -> tuple[str, str]:
    """The name, in lower case, and the value of a header's line."""
    field = _FIELD.fullmatch(line)
    if field is None:
        raise Malformed(f"no header: {_shown(line)}")
    # Servers say the same names again and again, and a run keeps them all.
    return intern(field[1].decode("ascii").lower()), field[2].decode("utf-8", "replace")


_field = lru_cache(maxsize=1024)(_read_field)


def _shown(line: bytes) -> str:
    return repr(line[:80]) + ("..." if len(line) > 80 else "")
