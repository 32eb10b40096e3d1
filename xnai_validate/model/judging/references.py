"""`{{name}}` in params and rules: a reference to what an earlier step of a flow captures.

`${...}` belongs to the configuration and is replaced when a file is loaded; `{{name}}` is replaced before the step is
measured. A text that is only a reference becomes the captured value with its type; within a text the value is written
out.
`\\{{name}}` is the text `{{name}}`, and braces around anything but a name are ordinary text.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping

from xnai_validate.model.json import JsonValue

NAME = r"[a-z][a-z0-9_]*"
_REFERENCE = re.compile(r"(\\?)\{\{\s*(" + NAME + r")\s*\}\}")


def is_template(value: JsonValue) -> bool:
    """Return whether `fill` would change anything in `value` or its keys."""
    return any(True for _ in _matches_in(value))


def references(value: JsonValue) -> tuple[str, ...]:
    """The names that `value` and its keys refer to, each once, in order."""
    return tuple(dict.fromkeys(found[2] for found in _matches_in(value) if not found[1]))


def fill(value: JsonValue, values: Mapping[str, JsonValue]) -> JsonValue:
    """Return `value` with every reference replaced by its value; raises KeyError for a name that is not in `values`."""
    if isinstance(value, str):
        return _fill_text(value, values)
    if isinstance(value, dict):
        return {str(_as_text(_fill_text(key, values))): fill(item, values) for key, item in value.items()}
    if isinstance(value, list):
        return [fill(item, values) for item in value]
    return value


def _matches_in(value: JsonValue) -> Iterator[re.Match[str]]:
    """Yield each reference in the texts and keys of a JSON value."""
    if isinstance(value, str):
        yield from _REFERENCE.finditer(value)
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _REFERENCE.finditer(key)
            yield from _matches_in(item)
    elif isinstance(value, list):
        for item in value:
            yield from _matches_in(item)


def _fill_text(text: str, values: Mapping[str, JsonValue]) -> JsonValue:
    """Fill in the references of a text; a text that is one reference becomes its value, of any type."""
    whole = _REFERENCE.fullmatch(text)
    if whole and not whole[1]:
        return values[whole[2]]
    return _REFERENCE.sub(lambda found: found[0][1:] if found[1] else _as_text(values[found[2]]), text)


def _as_text(value: JsonValue) -> str:
    """Return a value as it stands within a text: null as an empty text, anything but a text as JSON."""
    if isinstance(value, str):
        return value
    return "" if value is None else json.dumps(value, ensure_ascii=False)
