"""From the events of a YAML parser to JSON values, without recursion, bounded, with places on demand.

Tags, several documents and keys that are not scalars are refused; anchors, aliases and merge keys (`<<`) are
understood, and what they expand to is bounded. Values behind an alias are shared, and so are equal ones that follow one
another: nobody may change them.
"""

from __future__ import annotations

from array import array
from dataclasses import dataclass, field
from typing import Any, Protocol, cast

import yaml

from xnai_validate.config.yaml_files.scalars import scalar
from xnai_validate.model.json import JsonValue

try:
    from yaml import CSafeLoader as _Loader
except ImportError:  # a PyYAML that was built without libyaml: slower, the same events
    from yaml import SafeLoader as _Loader  # type: ignore[assignment]

DEPTH_CAP = 64
EXPANSION_CAP = 100_000
"""How many values aliases may add to those that are written."""

Mark = tuple[int, int]
"""Line and column, both from 0."""


class Broken(Exception):
    """The text is not YAML as it is used here."""

    def __init__(self, message: str, mark: Mark, hint: str | None = None) -> None:
        super().__init__(message)
        self.message, (self.line, self.column), self.hint = message, mark, hint


@dataclass(slots=True)
class Spot:
    """Where a value stands, and where what is in it stands."""

    name: Mark
    """Of its key, or of itself."""
    value: Mark
    is_scalar: bool = False
    keys: dict[str, Spot] | None = None
    items: list[Spot] | None = None

    def child(self, step: str | int) -> Spot | None:
        """Where the value of a key, or an item, stands; None where there is none."""
        if self.keys is not None:
            return self.keys.get(str(step))
        if self.items is not None and isinstance(step, int) and 0 <= step < len(self.items):
            return self.items[step]
        return None


@dataclass(slots=True)
class Document:
    """A document that was read."""

    value: JsonValue
    spot: Spot
    lines: dict[str, array[int]]
    """Key of the document -> the lines, from 1, of the items of the list under it."""
    duplicates: list[tuple[str, int, int]]


def read_yaml(data: bytes, *, spots: bool = False) -> Document:
    """The one document of a text in UTF-8; raises Broken at the first error of syntax.

    `spots`: also where everything stands.
    """
    loader = _Loader(data)
    try:
        return _Builder(spots).build(cast(Parser, loader))
    except yaml.MarkedYAMLError as error:
        raise _in_plain_words(error, data) from None
    except yaml.YAMLError as error:
        raise Broken(f"not YAML: {str(error).splitlines()[0]}", (0, 0)) from None
    finally:
        loader.dispose()


def _in_plain_words(error: yaml.MarkedYAMLError, data: bytes) -> Broken:
    mark = error.problem_mark or error.context_mark
    at = (mark.line, mark.column) if mark else (0, 0)
    problem = error.problem or "not YAML"
    rows = data.split(b"\n")
    if at[0] < len(rows) and rows[at[0]].decode()[at[1] : at[1] + 1] == "\t":
        return Broken("a tab cannot indent YAML", at, "use spaces")
    if problem == "mapping values are not allowed in this context":
        return Broken("a colon cannot stand here", at, "put text that holds a colon in quotes")
    context = f" {error.context}" if error.context else ""
    return Broken(f"not YAML: {problem}{context}", at)


@dataclass(slots=True)
class _Frame:
    """A mapping or list that is being read."""

    mapping: dict[str, JsonValue] | None
    items: list[JsonValue] | None
    spot: Spot | None
    anchor: str | None
    seen: int
    """How many values had been read when it began."""
    key: str | None = None
    key_mark: Mark = (0, 0)
    merging: bool = False
    merges: list[tuple[JsonValue, Spot | None]] = field(default_factory=list)


_MERGE = "<<"
_TEXT_TAGS = ("!", "tag:yaml.org,2002:str")
Anchored = tuple[JsonValue, "Spot | None", int]


class Parser(Protocol):
    """What is wanted of a YAML loader: its events."""

    def check_event(self) -> bool:
        """Whether there is another."""

    def get_event(self) -> Any:
        """The next."""


class _Builder:
    def __init__(self, spots: bool) -> None:
        self.spots = spots
        self.stack: list[_Frame] = []
        self.anchors: dict[str, Anchored] = {}
        self.texts: dict[str, str] = {}
        """Every text that was read: most keys and many values of a suite are equal, and then are one."""
        self.before: dict[str, JsonValue] = {}
        self.lines: dict[str, array[int]] = {}
        self.duplicates: list[tuple[str, int, int]] = []
        self.count = 0
        self.expanded = 0
        self.root: JsonValue = None
        self.root_spot: Spot | None = None

    def build(self, loader: Parser) -> Document:
        documents = 0
        while loader.check_event():
            event = loader.get_event()
            kind = type(event)
            if kind is yaml.ScalarEvent:
                self.scalar(event)
            elif kind is yaml.MappingStartEvent or kind is yaml.SequenceStartEvent:
                self.open(event, kind is yaml.MappingStartEvent)
            elif kind is yaml.MappingEndEvent or kind is yaml.SequenceEndEvent:
                self.close(event)
            elif kind is yaml.AliasEvent:
                self.alias(event)
            elif kind is yaml.DocumentStartEvent:
                documents += 1
                if documents > 1:
                    raise Broken("a second document begins here", _mark(event), "write one document a file")
        return Document(self.root, self.root_spot or Spot((0, 0), (0, 0), True), self.lines, self.duplicates)

    def scalar(self, event: yaml.ScalarEvent) -> None:
        self.count += 1
        frame = self.stack[-1] if self.stack else None
        text: str = self.texts.setdefault(event.value, event.value)
        plain = event.tag is None and event.implicit[0]
        if event.tag is not None and event.tag not in _TEXT_TAGS:
            raise Broken(f"the tag {event.tag.replace('tag:yaml.org,2002:', '!!')} is not used here", _mark(event))
        if frame is not None and frame.mapping is not None and frame.key is None:
            self.key(frame, text, plain, event)
            return
        value = scalar(text) if plain else text
        spot = Spot(_mark(event), _mark(event), True) if self.spots else None
        if event.anchor:
            self.anchors[event.anchor] = (value, spot, 1)
        self.put(value, spot)

    def key(self, frame: _Frame, text: str, plain: bool, event: yaml.ScalarEvent) -> None:
        frame.key = text
        frame.merging = plain and text == _MERGE
        mapping = frame.mapping
        if mapping is not None and text in mapping and not frame.merging:
            self.duplicates.append((text, *_mark(event)))
        if self.spots:
            frame.key_mark = _mark(event)

    def open(self, event: yaml.MappingStartEvent | yaml.SequenceStartEvent, mapping: bool) -> None:
        self.count += 1
        outer = self.stack[-1] if self.stack else None
        if len(self.stack) >= DEPTH_CAP:
            raise Broken(f"nested more than {DEPTH_CAP} levels deep", _mark(event))
        if event.tag not in (None, "!"):
            raise Broken(f"the tag {event.tag.replace('tag:yaml.org,2002:', '!!')} is not used here", _mark(event))
        if outer is not None and outer.mapping is not None and outer.key is None:
            raise Broken("a key is text, not a mapping or a list", _mark(event))
        spot = None
        if self.spots:
            spot = Spot(_mark(event), _mark(event), False, {} if mapping else None, None if mapping else [])
        frame = _Frame({} if mapping else None, None if mapping else [], spot, event.anchor, self.count)
        if len(self.stack) == 2 and outer is not None and outer.items is not None:
            self.item(len(outer.items), event)
        if event.anchor:
            self.anchors.pop(event.anchor, None)
        self.stack.append(frame)

    def item(self, index: int, event: yaml.Event) -> None:
        """Remember where an item begins that stands in a list under a key of the document."""
        lines = self.lines.setdefault(self.stack[0].key or "", array("I"))
        line = _mark(event)[0] + 1
        while len(lines) <= index:  # those before it that are no mappings or lists had no line of their own
            lines.append(line)

    def close(self, event: yaml.MappingEndEvent | yaml.SequenceEndEvent) -> None:
        frame = self.stack.pop()
        if frame.merges:
            _merge(frame, _mark(event))
        value: JsonValue = frame.mapping if frame.mapping is not None else frame.items
        if frame.anchor:
            self.anchors[frame.anchor] = (value, frame.spot, self.count - frame.seen + 1)
        key = self.stack[-1].key if self.stack else None
        self.put(value if key is None else self.shared(key, value), frame.spot)

    def shared(self, key: str, value: JsonValue) -> JsonValue:
        """The value, or the one that stood under the same key before where that is the same, as most of a suite are."""
        before = self.before.get(key)
        if before == value and repr(before) == repr(value):  # for 1 equals true and 1.0
            return before
        self.before[key] = value
        return value

    def alias(self, event: yaml.AliasEvent) -> None:
        frame = self.stack[-1] if self.stack else None
        if frame is not None and frame.mapping is not None and frame.key is None:
            raise Broken("a key is text, not an alias", _mark(event))
        found = self.anchors.get(event.anchor or "")
        if found is None:
            open_ = any(frame.anchor == event.anchor for frame in self.stack)
            why = "contains itself" if open_ else "has no anchor before it"
            raise Broken(f"the alias *{event.anchor} {why}", _mark(event))
        value, spot, size = found
        self.count += size
        self.expanded += size
        if self.expanded > EXPANSION_CAP:
            raise Broken(f"aliases expand to more than {EXPANSION_CAP} values", _mark(event))
        self.put(value, spot)

    def put(self, value: JsonValue, spot: Spot | None) -> None:
        if not self.stack:
            self.root, self.root_spot = value, spot
            return
        frame = self.stack[-1]
        if frame.items is not None:
            frame.items.append(value)
            if frame.spot is not None and frame.spot.items is not None and spot is not None:
                frame.spot.items.append(spot)
            return
        key, frame.key = frame.key, None
        if frame.mapping is None or key is None:
            return
        if frame.merging:
            frame.merges.append((value, spot))
            return
        frame.mapping[key] = value
        if frame.spot is not None and frame.spot.keys is not None and spot is not None:
            frame.spot.keys[key] = Spot(frame.key_mark, spot.value, spot.is_scalar, spot.keys, spot.items)


def _merge(frame: _Frame, end: Mark) -> None:
    """Take over what `<<` names, without replacing what the mapping says itself; earlier ones win."""
    for value, spot in frame.merges:
        parts = value if isinstance(value, list) else [value]
        spots = spot.items if spot is not None and spot.items is not None else [spot] * len(parts)
        for part, part_spot in zip(parts, spots, strict=False):
            if not isinstance(part, dict):
                raise Broken("<< takes a mapping or a list of mappings", spot.value if spot else end)
            for key, item in part.items():
                if frame.mapping is not None and key not in frame.mapping:
                    frame.mapping[key] = item
                    if frame.spot is not None and frame.spot.keys is not None and part_spot and part_spot.keys:
                        frame.spot.keys[key] = part_spot.keys[key]


def _mark(event: yaml.Event) -> Mark:
    mark = event.start_mark
    return (mark.line, mark.column) if mark is not None else (0, 0)
