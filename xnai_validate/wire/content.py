"""The content of a message: its media type, and its text or JSON document within bounds."""

from __future__ import annotations

import codecs
import json
from collections.abc import Mapping
from dataclasses import dataclass
from math import isinf

from xnai_validate.model.json import JsonValue

NESTING_CAP = 96
"""Levels of nesting; RFC 8259 section 9 lets a parser set a limit. JSONPath and pydantic give up soon after it."""
DUPLICATES_CAP = 20
"""Names of duplicate keys that are kept."""
BEGIN_CAP = 60
"""Characters of a text that is not JSON which are shown."""
_TOO_DEEP = f"nested more than {NESTING_CAP} levels deep"


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

    Bytes that are not text become U+FFFD; an unknown charset is read as UTF-8, and so are those codecs of Python that
    are not charsets of the web: they take quadratic time, or make text of bytes that are not text.
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
    """Parse a body as JSON, regardless of its content type (see `parse_json`)."""
    try:
        return parse_json(body.decode("utf-8-sig"))
    except UnicodeDecodeError:
        return _no_json("it is not UTF-8", body.decode("utf-8", "replace"))


@dataclass(frozen=True, slots=True)
class JsonText:
    """A text that was parsed as JSON."""

    value: JsonValue = None
    is_json: bool = False
    error: str | None = None
    """Why it is not JSON, and how it begins."""
    duplicate_keys: tuple[str, ...] = ()
    """Keys that one object of the text has twice, with values that differ; the last value is in `value`.

    RFC 8259 section 4: "When the names within an object are not unique, the behavior of software that receives such
    an object is unpredictable."
    """


def parse_json(text: str) -> JsonText:
    """Parse a JSON document (RFC 8259).

    `is_json` is false for an empty text, for NaN and Infinity, for numbers that Python does not read (more than 4 300
    digits, or beyond the range of a double), and for a document deeper than 96 levels.
    """
    if not text:
        return JsonText(error="not JSON: it is empty")
    duplicates: dict[str, None] = {}
    try:
        value = _decoder(duplicates).decode(text)
    except json.JSONDecodeError as error:
        return _no_json(f"{error.msg.lower()} in line {error.lineno}, column {error.colno}", text)
    except ValueError as error:
        long = "a number has more digits than are read" if "digits" in str(error) else str(error)
        return _no_json(long, text)
    except RecursionError:
        return _no_json(_TOO_DEEP, text)
    if text.count("[") + text.count("{") > NESTING_CAP and _too_deep(value):
        return _no_json(_TOO_DEEP, text)
    return JsonText(value, True, duplicate_keys=tuple(duplicates))


def _no_json(why: str, text: str) -> JsonText:
    """Return the result for a text that is not JSON: why, and how it begins."""
    return JsonText(error=f"not JSON: {why}; it begins with {json.dumps(text[:BEGIN_CAP], ensure_ascii=False)}")


def document_of(text: str) -> tuple[JsonValue, bool]:
    """Return the document of `parse_json` and whether the text is JSON."""
    parsed = parse_json(text)
    return parsed.value, parsed.is_json


def _decoder(duplicates: dict[str, None]) -> json.JSONDecoder:
    """A decoder that notes the keys whose values differ within one object."""

    def to_object(pairs: list[tuple[str, JsonValue]]) -> dict[str, JsonValue]:
        """Return a JSON object, and note the keys that occur twice with different values."""
        value = dict(pairs)
        if len(value) != len(pairs):
            for key, item in pairs:
                if key not in duplicates and len(duplicates) < DUPLICATES_CAP and _differ(item, value[key]):
                    duplicates[key] = None
        return value

    return json.JSONDecoder(object_pairs_hook=to_object, parse_constant=_refuse_constant, parse_float=_finite)


def _differ(first: JsonValue, second: JsonValue) -> bool:
    """Whether two JSON values differ, numbers and booleans included."""
    return first is not second and json.dumps(first) != json.dumps(second)  # as texts, for in Python 1 equals True


def _too_deep(document: JsonValue) -> bool:
    """Whether anything is below the last level that is allowed; level by level, because recursion has a limit too."""
    level: list[JsonValue] = [document]
    for _ in range(NESTING_CAP):
        level = [
            child
            for node in level
            if isinstance(node, dict | list)
            for child in (node.values() if isinstance(node, dict) else node)
            if isinstance(child, dict | list)
        ]
        if not level:
            return False
    return True


def _refuse_constant(name: str) -> JsonValue:
    """Raise ValueError: NaN and Infinity are not JSON (RFC 8259)."""
    raise ValueError(f"{name} is not JSON")


def _finite(number: str) -> float:
    """A number as Python has it; infinity would be sent on as `Infinity`, which is not JSON."""
    value = float(number)
    if isinf(value):
        raise ValueError(f"the number {number[:20]} is beyond the range of a double")
    return value
