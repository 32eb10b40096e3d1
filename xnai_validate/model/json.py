"""JSON documents: their type, the bounded form in which measured values are kept, and how they are written."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import fields
from functools import cache
from itertools import islice
from json.encoder import encode_basestring
from math import isfinite
from typing import Any

from pydantic import JsonValue

from xnai_validate.model.text import is_plain

__all__ = ["Json", "JsonObject", "JsonValue", "bounded", "json_pieces", "printable_json", "texts_named", "to_json"]

Json = JsonValue
"""A JSON document: None, bool, int, float, str, list or dict of these."""
JsonObject = dict[str, JsonValue]

TEXT_CAP = 2_000
ITEMS_CAP = 100
DEPTH_CAP = 8
AT_ONCE = 100
"""Items of a long tuple that become text together."""
BITS_CAP = 1024
"""Larger integers are replaced by a text with their size: Python itself refuses to write very large ones."""

# The concrete types first: to ask an abstract one takes ten times as long.
_MAPPINGS = (dict, Mapping)
_LISTS = (list, tuple)
_SEQUENCES = (list, tuple, Sequence, set, frozenset)


def bounded(value: object, depth: int = DEPTH_CAP) -> JsonValue:
    """Return `value` as JSON with long texts, lists and mappings cut, so that events stay small.

    Texts keep 2 000 characters, lists and mappings 100 items, nesting 8 levels; a note replaces what was cut.
    """
    if value is None or isinstance(value, int):
        return value if value is None or value.bit_length() <= BITS_CAP else f"an integer of {value.bit_length()} bits"
    if isinstance(value, float):
        # JSON has neither NaN nor infinity.
        return value if value == value and abs(value) != float("inf") else str(value)
    if isinstance(value, str):
        text = value if len(value) <= TEXT_CAP else f"{value[:TEXT_CAP]}... ({len(value)} characters)"
        return text if text.isascii() else _encodable(text)
    if isinstance(value, bytes):
        return bounded(value.decode("utf-8", "replace"))
    if depth <= 0:
        return "..."
    if isinstance(value, _MAPPINGS):
        items = islice(value.items(), ITEMS_CAP)
        cut: JsonObject = {_encodable(str(key)[:200]): bounded(item, depth - 1) for key, item in items}
        if len(value) > ITEMS_CAP:
            cut["..."] = f"{len(value)} keys"
        return cut
    if isinstance(value, _SEQUENCES):
        sequence = list(value)
        kept: list[JsonValue] = [bounded(item, depth - 1) for item in sequence[:ITEMS_CAP]]
        if len(sequence) > ITEMS_CAP:
            kept.append(f"... ({len(sequence)} items)")
        return kept
    return bounded(str(value))


def texts_named(name: str, document: JsonValue) -> Iterator[str]:
    """Yield the texts that stand under a name in a document, at any depth, in their order."""
    if isinstance(document, dict):
        text = document.get(name)
        if isinstance(text, str):
            yield text
    items = document.values() if isinstance(document, dict) else document if isinstance(document, list) else ()
    for item in items:
        yield from texts_named(name, item)


def to_json(value: object) -> bytes:
    """A value as compact JSON (UTF-8) on one line, harmless on a terminal (see `printable_json`).

    Dataclasses become objects, tuples arrays, members of a StrEnum texts.
    """
    return printable_json(_COMPACT.encode(value).encode())


def json_pieces(value: Any) -> Iterator[bytes]:
    """The bytes of `to_json` of a dataclass, piece by piece: its long tuples some items at a time.

    The plan of thousands of checks as one text would take as much memory as the plan.
    """
    begun = b"{"
    for name in _field_names(value.__class__):
        item = getattr(value, name)
        yield begun + to_json(name) + b":"
        begun = b","
        if isinstance(item, tuple) and len(item) > AT_ONCE:
            for start in range(0, len(item), AT_ONCE):
                yield (b"," if start else b"[") + to_json(item[start : start + AT_ONCE])[1:-1]
            yield b"]"
        else:
            yield to_json(item)
    yield b"}"


def printable_json(document: bytes) -> bytes:
    """Return a JSON document that is harmless on a terminal: escaped wherever `model.text.printable` escapes."""
    if document.isascii() and b"\x7f" not in document:
        return document
    return _BEYOND_ASCII.sub(_escape_match, document.decode()).encode()


_BEYOND_ASCII = re.compile(r"[^\x00-\x7e]")


def _escape_match(found: re.Match[str]) -> str:
    """Return a matched character as JSON escapes it; a printable one stays as it is."""
    char = found[0]
    if char == "\x7f":
        return "\\u007f"  # json leaves this one as it is
    return char if is_plain(char) else json.dumps(char)[1:-1]


def indented(value: Any, line: str = "\n") -> str:
    """Return a value as `json.dumps` writes it with an indent of 2, in half the time; `line` begins each line."""
    write = _SCALARS.get(type(value))
    if write is not None:
        return write(value)
    inner = line + "  "
    if isinstance(value, _LISTS):
        return f"[{inner}{f',{inner}'.join([indented(item, inner) for item in value])}{line}]" if value else "[]"
    if not isinstance(value, dict) and hasattr(value, "__dataclass_fields__"):
        value = _fields_as_object(value)
    if isinstance(value, dict):
        items = []
        for key, item in value.items():
            write = _SCALARS.get(type(item))
            items.append(f"{encode_basestring(key)}: {indented(item, inner) if write is None else write(item)}")
        return f"{{{inner}{f',{inner}'.join(items)}{line}}}" if items else "{}"
    return encode_basestring(value) if isinstance(value, str) else _COMPACT.encode(value)


_SCALARS: dict[type, Callable[[Any], str]] = {
    str: encode_basestring,
    int: repr,
    float: lambda value: repr(value) if isfinite(value) else json.dumps(value),
    bool: lambda value: "true" if value else "false",
    type(None): lambda value: "null",
}


@cache
def _field_names(kind: Any) -> tuple[str, ...]:
    """Return the names of the fields of a dataclass."""
    return tuple(field.name for field in fields(kind))


def _fields_as_object(value: Any) -> dict[str, Any]:
    """Return a dataclass as a mapping for `json`. Raises TypeError for any other type."""
    if not hasattr(value, "__dataclass_fields__"):
        raise TypeError(f"{type(value).__name__} cannot be written as JSON")
    return {name: getattr(value, name) for name in _field_names(value.__class__)}


# What is written was made by us from bounded values, so there are no circles to look for.
_COMPACT = json.JSONEncoder(ensure_ascii=False, check_circular=False, separators=(",", ":"), default=_fields_as_object)


def _encodable(text: str) -> str:
    """The text with lone surrogates, which JSON can spell and UTF-8 cannot, as escapes."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-8", "backslashreplace").decode()
    return text
