"""The type of a JSON document, and the bounded form in which measured values are kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import islice
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pydantic import JsonValue as JsonValue
else:

    class JsonValue:
        """A JSON value; pydantic's type of that name, without its import."""

        @classmethod
        def __get_pydantic_core_schema__(cls, source: object, handler: object) -> object:
            from pydantic import JsonValue as Theirs

            return handler.generate_schema(Theirs)


__all__ = ["Json", "JsonObject", "JsonValue", "bounded"]

Json = JsonValue
"""A JSON document: None, bool, int, float, str, list or dict of these."""
JsonObject = dict[str, JsonValue]

TEXT_CAP = 2_000
ITEMS_CAP = 100
DEPTH_CAP = 8
BITS_CAP = 1024
"""Larger integers are told by their size: Python itself refuses to write very large ones."""

# The concrete types first: to ask an abstract one takes ten times as long.
_MAPPINGS = (dict, Mapping)
_SEQUENCES = (list, tuple, Sequence, set, frozenset)


def bounded(value: object, depth: int = DEPTH_CAP) -> JsonValue:
    """`value` as JSON, with long texts, lists and mappings cut, so that an event stays small whatever a server sent.

    Texts keep 2 000 characters, lists and mappings 100 items, nesting 8 levels; what was cut is said in its place.
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


def _encodable(text: str) -> str:
    """The text with lone surrogates, which JSON can spell and UTF-8 cannot, as escapes."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-8", "backslashreplace").decode()
    return text
