"""The vars of a run: nested values, merged from all sources, each with the place where it is written."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import zip_longest
from typing import cast

from xnai_validate.config.yaml_files.problems import Where
from xnai_validate.model.json import JsonObject, JsonValue

Path = tuple[str, ...]
DEPTH_CAP = 64
"""Levels of a dotted path, as of a YAML file."""


@dataclass(slots=True)
class VarSpace:
    """The vars of all files and options, merged; references in their values are not resolved yet."""

    tree: JsonObject = field(default_factory=dict)
    """The merged values, nested as in a file."""
    origins: dict[Path, Where] = field(default_factory=dict)
    """Path -> where its value is written; a value within a list has the origin of the list."""

    def overlay(self, values: Mapping[str, JsonValue], where: Where, at: Path = ()) -> None:
        """Merge nested values into the present ones, below the path `at`; values that are not mappings are replaced.

        In a list of mappings, each entry keeps the keys of the entry at its index before that it does not set itself.
        """
        node = self._make_mapping(at)
        for key, value in values.items():
            path = (*at, str(key))
            if isinstance(value, dict) and value:
                if not isinstance(node.get(key), dict):
                    node[key] = {}
                self.overlay(value, where.at(key), path)
            else:
                node[key] = _entries_merged(node.get(key), value)
                self.origins[path] = where.at(key)

    def set(self, dotted: str, value: JsonValue) -> None:
        """Replace one var by its dotted path, in which digits index lists; its neighbours stay.

        A path that leads through a scalar replaces nothing.
        """
        path = tuple(dotted.split("."))
        self.tree = cast(JsonObject, _with_value_at(self.tree, path, value))
        self.origins[path] = Where(None)

    def _make_mapping(self, path: Path) -> JsonObject:
        """Return the mapping at a path; each step that is missing or no mapping becomes an empty one first."""
        node = self.tree
        for step in path:
            inner = node.get(step)
            if not isinstance(inner, dict):
                inner = {}
                node[step] = inner
            node = inner
        return node

    def find(self, dotted: str) -> tuple[JsonValue, Where, bool]:
        """The value at a dotted path (digits index lists), the place where it is written, and whether it exists."""
        node: JsonValue = self.tree
        origin = Where(None)
        walked: Path = ()
        for step in dotted.split("."):
            walked = (*walked, step)
            if isinstance(node, dict) and step in node:
                node = node[step]
            elif isinstance(node, list) and step.isdecimal() and int(step) < len(node):
                node = node[int(step)]
            else:
                return None, origin, False
            origin = self.origins.get(walked) or origin.at(int(step) if step.isdecimal() else step)
        return node, origin, True

    def paths(self) -> Iterator[str]:
        """The dotted paths of all vars, mappings included."""
        yield from _dotted_paths(self.tree, ())


def _entries_merged(before: JsonValue, value: JsonValue) -> JsonValue:
    """A list of mappings with what its entries lack from the entries before; any other value as it is."""
    defaults, entries = _mappings(before), _mappings(value)
    if not defaults or not entries:
        return value
    nothing: JsonObject = {}
    return [default | entry for default, entry in zip_longest(defaults, entries, fillvalue=nothing)]


def _mappings(value: JsonValue) -> list[JsonObject]:
    """The items of a list of mappings; empty for anything else."""
    items = value if isinstance(value, list) else []
    found = [item for item in items if isinstance(item, dict)]
    return found if len(found) == len(items) else []


def _with_value_at(node: JsonValue, path: Path, value: JsonValue) -> JsonValue:
    """Return a copy of `node` with the value at `path`; `node` itself if the path leads through a scalar."""
    if not path:
        return value
    step, rest = path[0], path[1:]
    if isinstance(node, list) and step.isdecimal() and int(step) < len(node):
        index = int(step)
        return [*node[:index], _with_value_at(node[index], rest, value), *node[index + 1 :]]
    if node is None or isinstance(node, dict):
        inner = node or {}
        return {**inner, step: _with_value_at(inner.get(step), rest, value)}
    return node


def _dotted_paths(node: Mapping[str, JsonValue], outer: Path) -> Iterator[str]:
    """Yield the dotted path of every value of nested mappings, outer ones first."""
    for key, value in node.items():
        path = (*outer, key)
        yield ".".join(path)
        if isinstance(value, dict):
            yield from _dotted_paths(value, path)
