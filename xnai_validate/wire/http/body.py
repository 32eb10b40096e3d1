"""The body of an HTTP message: content codings within a bound, media type, text and JSON."""

from __future__ import annotations

import codecs
import zlib
from collections.abc import Mapping
from dataclasses import dataclass

from xnai_validate.model.error_kind import ErrorKind
from xnai_validate.model.json import JsonValue
from xnai_validate.wire.failure import WireError
from xnai_validate.wire.json_text import document_of

ACCEPT_ENCODING = "gzip, deflate"
GZIP_MAGIC = b"\x1f\x8b"
PIECE = 256 * 1024
"""Bytes that one step of decompression yields at most, whatever it was fed."""


class Inflater:
    """Undoes `gzip` and `deflate` (RFC 9110 section 8.4.1) in pieces: a small body never becomes large at once."""

    def __init__(self, coding: str) -> None:
        self._raw_allowed = coding == "deflate"
        self._gzip = coding == "gzip"
        self._zlib = self._begun()
        self._waiting = b""
        self._fed = False

    def _begun(self) -> zlib._Decompress:
        return zlib.decompressobj(zlib.MAX_WBITS | (16 if self._gzip else 0))

    @property
    def waiting(self) -> bool:
        """Whether fed bytes are still to be decompressed: call `take` again before feeding more."""
        return bool(self._waiting)

    def feed(self, data: bytes) -> None:
        """Add compressed bytes."""
        self._waiting += data
        self._fed = self._fed or bool(data)

    def take(self) -> bytes:
        """The next piece of content, at most 256 KiB; raises WireError (protocol) where the data is no such coding.

        Several gzip members after one another are one content (RFC 1952 section 2.2); anything else after the end is
        an error, and not kept: a server could go on with it for ever.
        """
        data, self._waiting = self._waiting, b""
        if self._zlib.eof and data:
            if not (self._gzip and GZIP_MAGIC.startswith(data[:2])):
                raise WireError(ErrorKind.PROTOCOL, "the body cannot be decompressed: it goes on after its end")
            self._zlib = self._begun()
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
        self._waiting = self._zlib.unused_data or self._zlib.unconsumed_tail
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

    Bytes that are no text become U+FFFD; an unknown charset is read as UTF-8, and so are those codecs of Python that
    are no charsets of the web: they take quadratic time, or make text of what is none.
    """
    try:
        name = codecs.lookup(charset or "utf-8").name
        return body[: cap * 4].decode("utf-8" if name in _NO_CHARSETS else name, "replace")[:cap]
    except (LookupError, UnicodeError, ValueError):
        return body[: cap * 4].decode("utf-8", "replace")[:cap]


_NO_CHARSETS = frozenset({"idna", "punycode", "raw-unicode-escape", "undefined", "unicode-escape", "utf-7"})


def json_of(body: bytes) -> tuple[JsonValue, bool]:
    """The JSON document that the body is, and whether it is one, as `document_of` tells."""
    try:
        return document_of(body.decode("utf-8-sig"))
    except UnicodeDecodeError:
        return None, False
