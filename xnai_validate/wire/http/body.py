"""The body of an HTTP message: its media type, and its text or JSON document."""

from __future__ import annotations

import codecs
from collections.abc import Mapping
from dataclasses import dataclass

from xnai_validate.model.json import JsonValue
from xnai_validate.wire.json_text import JsonText, parse_json


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
    are no charsets of the web: they take quadratic time, or make text of bytes that are no text.
    """
    try:
        name = codecs.lookup(charset or "utf-8").name
        return body[: cap * 4].decode("utf-8" if name in _NO_CHARSETS else name, "replace")[:cap]
    except (LookupError, UnicodeError, ValueError):
        return body[: cap * 4].decode("utf-8", "replace")[:cap]


_NO_CHARSETS = frozenset({"idna", "punycode", "raw-unicode-escape", "undefined", "unicode-escape", "utf-7"})


def json_of(body: bytes) -> tuple[JsonValue, bool]:
    """Return the JSON document of a body and True, or None and False if it is not JSON."""
    parsed = json_text_of(body)
    return parsed.value, parsed.is_json


def json_text_of(body: bytes) -> JsonText:
    """Parse a body as JSON, whatever its content type is (see `parse_json`)."""
    try:
        return parse_json(body.decode("utf-8-sig"))
    except UnicodeDecodeError:
        return JsonText()
