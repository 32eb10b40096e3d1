"""`{{name}}` in params and rules: what an earlier step of a flow has captured, put in its place when it is known.

`${...}` is of the configuration and is replaced when a file is loaded; `{{name}}` stays until the step is made. A text
that is nothing but a reference becomes the captured value with its type; within a text the value is written out.
`\\{{name}}` is the text `{{name}}`, and braces around anything that is no name are what they are.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping

from xnai_validate.model.json import JsonValue

NAME = r"[a-z][a-z0-9_]*"
_REFERENCE = re.compile(r"(\\?)\{\{\s*(" + NAME + r")\s*\}\}")


def is_template(value: JsonValue) -> bool:
    """Whether there is anything in `value`, its keys included, that `filled` would change."""
    return any(True for _ in _found(value))


def references(value: JsonValue) -> tuple[str, ...]:
    """The names that `value` and its keys refer to, each once, in order."""
    return tuple(dict.fromkeys(found[2] for found in _found(value) if not found[1]))


def fill(value: JsonValue, values: Mapping[str, JsonValue]) -> JsonValue:
    """`value` with every reference replaced by what `values` has for it; raises KeyError for a name it has not."""
    if isinstance(value, str):
        return _text(value, values)
    if isinstance(value, dict):
        return {str(_written(_text(key, values))): fill(item, values) for key, item in value.items()}
    if isinstance(value, list):
        return [fill(item, values) for item in value]
    return value


def _found(value: JsonValue) -> Iterator[re.Match[str]]:
    if isinstance(value, str):
        yield from _REFERENCE.finditer(value)
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _REFERENCE.finditer(key)
            yield from _found(item)
    elif isinstance(value, list):
        for item in value:
            yield from _found(item)


def _text(text: str, values: Mapping[str, JsonValue]) -> JsonValue:
    whole = _REFERENCE.fullmatch(text)
    if whole and not whole[1]:
        return values[whole[2]]
    return _REFERENCE.sub(lambda found: found[0][1:] if found[1] else _written(values[found[2]]), text)


def _written(value: JsonValue) -> str:
    """A value within a text: a text as it is, nothing as nothing, anything else as JSON has it."""
    if isinstance(value, str):
        return value
    return "" if value is None else json.dumps(value, ensure_ascii=False)
