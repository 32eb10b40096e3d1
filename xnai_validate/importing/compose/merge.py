"""How one compose file is merged over another.

Source: Compose Specification, 13 (Merge and override): mappings are merged, lists appended, commands replaced; what has
a name of its own (ports, environment, secrets) is merged by it. `!reset` removes, `!override` replaces.
"""

from __future__ import annotations

from collections.abc import Callable

from xnai_validate.importing.compose.interpolation import FilledText, filled
from xnai_validate.model.json import JsonObject, JsonValue

REPLACED = ("command", "entrypoint", "test")
KEYED = ("environment", "labels", "annotations", "extra_hosts", "sysctls", "args")
"""Mappings that may also be written as a list of `KEY=VALUE`."""
NAMED = ("depends_on", "networks")
"""Mappings that may also be written as a list of names."""
_TARGETS = ("secrets", "configs", "volumes")


def merged(base: JsonValue, over: JsonValue, key: str = "") -> JsonValue:
    """Return a value of the first file merged with that of the second, which overrides it; both are under `key`."""
    if _is_reset(over):
        return None
    if isinstance(over, dict) and len(over) == 1 and "!override" in over:
        return over["!override"]
    if over is None or base is None:
        return base if over is None else over  # its tags stay: they count when it is merged over a value
    if key in KEYED:
        base, over = as_mapping(base), as_mapping(over)
    elif key in NAMED:
        base, over = _as_mapping(base), _as_mapping(over)
    if isinstance(base, dict) and isinstance(over, dict):
        names = dict.fromkeys(name for name in (*base, *over) if not _is_reset(over.get(name)))
        return {name: merged(base.get(name), over.get(name), name) for name in names}
    if isinstance(base, list) and isinstance(over, list) and key not in REPLACED:
        return _append_lists(base, over, key)
    return untagged(over)


def untagged(value: JsonValue) -> JsonValue:
    """A value without the tags that set how it is merged."""
    if isinstance(value, dict):
        if "!override" in value and len(value) == 1:
            return untagged(value["!override"])
        return {key: untagged(item) for key, item in value.items() if not _is_reset(item)}
    if isinstance(value, list):
        return [untagged(item) for item in value]
    return value


def as_mapping(value: JsonValue) -> JsonObject:
    """A mapping, or a list of `KEY=VALUE`, as a mapping; a key without a value has null."""
    if isinstance(value, dict):
        return value
    mapping: JsonObject = {}
    for item in value if isinstance(value, list) else ():
        if isinstance(item, str):
            name, equals, text = item.partition("=")
            names = item.names if isinstance(item, FilledText) else ()
            mapping[name] = (filled(text, names) if names else text) if equals else None
    return mapping


def _is_reset(value: JsonValue) -> bool:
    """Whether a value has the tag `!reset`."""
    return isinstance(value, dict) and len(value) == 1 and "!reset" in value


def _as_mapping(value: JsonValue) -> JsonObject:
    """Return a list of names as a mapping with null values; a mapping as it is."""
    if isinstance(value, dict):
        return value
    return {item: None for item in (value if isinstance(value, list) else ()) if isinstance(item, str)}


def _append_lists(base: list[JsonValue], over: list[JsonValue], key: str) -> list[JsonValue]:
    """Return both lists as one; of items with the same name, the later one."""
    name: Callable[[JsonValue], str] = _mount_path if key in _TARGETS else repr
    return list({name(item): untagged(item) for item in (*base, *over)}.values())


def _mount_path(item: JsonValue) -> str:
    """Return the path in the container at which a volume is mounted."""
    if isinstance(item, dict):
        return str(item.get("target") or item.get("source"))
    parts = str(item).split(":")
    return parts[1] if len(parts) > 1 else parts[0]
