"""The body of an HTTP message: content codings within a bound, media type, text and JSON."""

from __future__ import annotations

import codecs
import json
import zlib
from collections.abc import Mapping
from dataclasses import dataclass

from xnai_validate.model.errorkind import ErrorKind
from xnai_validate.model.json import JsonValue
from xnai_validate.wire.failure import WireError

ACCEPT_ENCODING = "gzip, deflate"
PIECE = 256 * 1024
"""Bytes that one step of decompression yields at most, whatever it was fed."""


class Inflater:
    """Undoes `gzip` and `deflate` (RFC 9110 section 8.4.1) in pieces: a small body never becomes large at once."""

    def __init__(self, coding: str) -> None:
        self._raw_allowed = coding == "deflate"
        self._zlib = zlib.decompressobj(zlib.MAX_WBITS | (16 if coding == "gzip" else 0))
        self._waiting = b""
        self._fed = False

    @property
    def waiting(self) -> bool:
        """Whether fed bytes are still to be decompressed: call `take` again before feeding more."""
        return bool(self._waiting)

    def feed(self, data: bytes) -> None:
        """Add compressed bytes."""
        self._waiting += data
        self._fed = self._fed or bool(data)

    def take(self) -> bytes:
        """The next piece of content, at most 256 KiB; raises WireError (protocol) where the data is no such coding."""
        data, self._waiting = self._waiting, b""
        try:
            piece = self._zlib.decompress(data, PIECE)
        except zlib.error as error:
            if not self._raw_allowed:
                raise WireError(ErrorKind.PROTOCOL, f"the body cannot be decompressed: {error}") from error
            # RFC 9110 wants the zlib format; many servers send a bare deflate stream, and every client takes it.
            self._raw_allowed = False
            self._zlib = zlib.decompressobj(-zlib.MAX_WBITS)
            self._waiting = data
            return self.take()
        self._raw_allowed = False
        self._waiting = self._zlib.unconsumed_tail
        return piece

    def finish(self) -> bytes:
        """The rest, at the end of the body; raises WireError (protocol) where the compressed stream was cut."""
        rest = self._zlib.flush()
        if self._fed and not self._zlib.eof:
            raise WireError(ErrorKind.PROTOCOL, "the body cannot be decompressed: it ends too early")
        return rest


def inflater(headers: Mapping[str, str]) -> Inflater | None:
    """What undoes the `Content-Encoding` of these headers; None for none, or for one that we did not ask for."""
    coding = headers.get("content-encoding", "").strip().lower()
    if coding in ("gzip", "x-gzip"):
        return Inflater("gzip")
    return Inflater("deflate") if coding == "deflate" else None


@dataclass(frozen=True, slots=True)
class MediaType:
    """A `Content-Type` (RFC 9110 section 8.3.1), in lower case."""

    type: str | None
    """`text/event-stream`; None without the header."""
    charset: str | None


def media_type(headers: Mapping[str, str]) -> MediaType:
    """The media type that headers (names in lower case) declare."""
    value = headers.get("content-type")
    if value is None:
        return MediaType(None, None)
    kind, _, parameters = value.partition(";")
    charset = None
    for parameter in parameters.split(";"):
        name, _, setting = parameter.partition("=")
        if name.strip().lower() == "charset":
            charset = setting.strip().strip('"').lower() or None
    return MediaType(kind.strip().lower() or None, charset)


def text_of(body: bytes, charset: str | None, cap: int) -> str:
    """The body as text of at most `cap` characters.

    Bytes that are no text become U+FFFD; an unknown charset is read as UTF-8.
    """
    try:
        decoder = codecs.lookup(charset or "utf-8").name
        return body[: cap * 4].decode(decoder, "replace")[:cap]
    except (LookupError, UnicodeError, ValueError):
        return body[: cap * 4].decode("utf-8", "replace")[:cap]


def _no_constant(name: str) -> JsonValue:
    raise ValueError(f"{name} is not JSON")


_DECODER = json.JSONDecoder(parse_constant=_no_constant)


def json_of(body: bytes) -> tuple[JsonValue, bool]:
    """The JSON document (RFC 8259) that the body is, and whether it is one; NaN and Infinity are not JSON."""
    if not body:
        return None, False
    try:
        return _DECODER.decode(body.decode("utf-8-sig")), True
    except (ValueError, RecursionError):
        return None, False
