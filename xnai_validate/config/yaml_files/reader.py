"""A reader of YAML on the public events of PyYAML: JSON values, bounded, without recursion, with places on demand.

Tags, several documents and keys that are not scalars are refused; anchors, aliases and merge keys (`<<`) are
understood, and what they expand to is bounded. Values behind an alias are shared, and so are equal ones that follow one
another, so they must not be changed.
"""

from __future__ import annotations

import re
from array import array
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Protocol, cast

import yaml

from xnai_validate.config.yaml_files.positions import Document, Duplicate, Mark, Position, YamlError
from xnai_validate.config.yaml_files.scalars import scalar
from xnai_validate.model.json import JsonValue

# A PyYAML that was built without libyaml is slower, with the same events.
_Loader = yaml.CSafeLoader if yaml.__with_libyaml__ else yaml.SafeLoader

DEPTH_CAP = 64
EXPANSION_CAP = 100_000
KEYS_CAP = 10_000
VALUES_CAP = 250_000
"""How many values aliases may add to those that are written."""


def read_yaml(data: bytes, *, positions: bool = False) -> Document:
    """The one document of a text in UTF-8; raises YamlError at the first syntax error.

    With `positions`, the positions of all values are kept, too.
    """
    try:
        return _compose(data, positions)
    except yaml.MarkedYAMLError as error:
        mended = _with_whole_characters(data) if error.problem == _BAD_ESCAPE else data
        if mended == data:
            raise _translate_error(error, data) from None
        return read_yaml(mended, positions=positions)
    except yaml.YAMLError as error:
        raise YamlError(f"not YAML: {str(error).splitlines()[0]}", (0, 0)) from None


def events_of(data: bytes) -> Iterator[yaml.Event]:
    """The events of PyYAML's parser for a text in UTF-8, with their places. Raises its errors."""
    loader = _Loader(data)
    try:
        while (event := loader.get_event()) is not None:
            yield event
    finally:
        loader.dispose()


def _compose(data: bytes, positions: bool) -> Document:
    """Compose a document from the events of PyYAML's parser, with the places of its values if `positions`.

    Raises YamlError and PyYAML's own errors.
    """
    loader = _Loader(data)
    try:
        return _Composer(positions).build(cast(Parser, loader))
    finally:
        loader.dispose()


def _with_whole_characters(data: bytes) -> bytes:
    """JSON spells a character beyond U+FFFF as two escapes, which YAML refuses: spell it as one.

    Only for a text that YAML refuses for such an escape, so that text in other quotes is not changed for nothing.
    """

    def join_halves(found: re.Match[bytes]) -> bytes:
        """Return one escape for the two halves of a surrogate pair, which JSON writes and YAML does not know."""
        high, low = int(found[1], 16), int(found[2], 16)
        return b"\\U%08x" % (0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00))

    return _SURROGATES.sub(join_halves, data)


_BAD_ESCAPE = "found invalid Unicode character escape code"
_SURROGATES = re.compile(rb"(?<!\\)\\u([dD][89abAB][0-9a-fA-F]{2})\\u([dD][c-fC-F][0-9a-fA-F]{2})")


def _translate_error(error: yaml.MarkedYAMLError, data: bytes) -> YamlError:
    """Translate an error of PyYAML into one that names the cause and how to write it."""
    mark = error.problem_mark or error.context_mark
    at = (mark.line, mark.column) if mark else (0, 0)
    problem = error.problem or "not YAML"
    rows = data.split(b"\n")
    if at[0] < len(rows) and rows[at[0]].decode()[at[1] : at[1] + 1] == "\t":
        return YamlError("a tab cannot indent YAML", at, "use spaces")
    if problem == "mapping values are not allowed in this context":
        return YamlError("a colon cannot stand here", at, "put text that holds a colon in quotes")
    context = f" {error.context}" if error.context else ""
    return YamlError(f"not YAML: {problem}{context}", at)


@dataclass(slots=True)
class _Frame:
    """A mapping or list that is being read."""

    mapping: dict[str, JsonValue] | None
    items: list[JsonValue] | None
    position: Position | None
    anchor: str | None
    count_before: int
    """The number of values that had been read when it began."""
    key: str | None = None
    key_mark: Mark = (0, 0)
    key_lines: dict[str, int] = field(default_factory=dict)
    """Key -> its line, from 0."""
    merging: bool = False
    merges: list[tuple[JsonValue, Position | None]] = field(default_factory=list)


_MERGE = "<<"
_TEXT_TAGS = ("!", "tag:yaml.org,2002:str")
Anchored = tuple[JsonValue, "Position | None", int]


class Parser(Protocol):
    """The part of a YAML loader that is used: its events."""

    def check_event(self) -> bool:
        """Whether another event follows."""

    def get_event(self) -> Any:
        """The next event."""


class _Composer:
    """Builds one document from the events of a YAML parser."""

    def __init__(self, positions: bool) -> None:
        self.positions = positions
        self.stack: list[_Frame] = []
        self.anchors: dict[str, Anchored] = {}
        self.texts: dict[str, str] = {}
        """Every text that was read: most keys and many values of a suite are equal, and then share one object."""
        self.before: dict[str, JsonValue] = {}
        self.lines: dict[str, array[int]] = {}
        self.duplicates: list[Duplicate] = []
        self.count = 0
        self.expanded = 0
        self.root: JsonValue = None
        self.root_position: Position | None = None

    def build(self, loader: Parser) -> Document:
        """Read all events of a loader and return the document."""
        documents = 0
        while loader.check_event():
            event = loader.get_event()
            kind = type(event)
            if kind is yaml.ScalarEvent:
                self.scalar(event)
            elif kind is yaml.MappingStartEvent or kind is yaml.SequenceStartEvent:
                self.open(event, kind is yaml.MappingStartEvent)
            elif kind is yaml.MappingEndEvent or kind is yaml.SequenceEndEvent:
                self.end_collection(event)
            elif kind is yaml.AliasEvent:
                self.alias(event)
            elif kind is yaml.DocumentStartEvent:
                documents += 1
                if documents > 1:
                    raise YamlError("a second document begins here", _mark_of(event), "write one document a file")
        return Document(self.root, self.root_position or Position((0, 0), (0, 0), True), self.lines, self.duplicates)

    def counted(self, event: yaml.Event) -> None:
        """Count a key, a value, a mapping or a list; raises YamlError for more than are read."""
        self.count += 1
        if self.count - self.expanded > VALUES_CAP:
            raise YamlError(f"a file has more than {VALUES_CAP} keys and values", _mark_of(event), "split it")

    def scalar(self, event: yaml.ScalarEvent) -> None:
        """Take in a scalar: a key of the mapping that is being read, or a value. Raises YamlError for a tag."""
        self.counted(event)
        frame = self.stack[-1] if self.stack else None
        text: str = self.texts.setdefault(event.value, event.value)
        plain = event.tag is None and event.implicit[0]
        if event.tag is not None and event.tag not in _TEXT_TAGS:
            raise YamlError(
                f"the tag {event.tag.replace('tag:yaml.org,2002:', '!!')} is not allowed here", _mark_of(event)
            )
        if frame is not None and frame.mapping is not None and frame.key is None:
            self.key(frame, text, plain, event)
            return
        value = scalar(text) if plain else text
        position = Position(_mark_of(event), _mark_of(event), True) if self.positions else None
        if event.anchor:
            self.anchors[event.anchor] = (value, position, 1)
        self.put(value, position)

    def key(self, frame: _Frame, text: str, plain: bool, event: yaml.ScalarEvent) -> None:
        """Take in the key of the next value; note it if the mapping has it already. Only a `plain` `<<` merges."""
        frame.key = text
        frame.merging = plain and text == _MERGE
        mapping = frame.mapping
        if mapping is not None and not frame.merging:
            if text in mapping:
                self.duplicates.append(Duplicate(text, _mark_of(event), frame.key_lines.get(text, 0)))
            else:
                frame.key_lines[text] = _mark_of(event)[0]
            if len(frame.key_lines) > KEYS_CAP or len(self.duplicates) > KEYS_CAP:
                raise YamlError(f"a mapping has more than {KEYS_CAP} keys", _mark_of(event))
        if self.positions:
            frame.key_mark = _mark_of(event)

    def open(self, event: yaml.MappingStartEvent | yaml.SequenceStartEvent, mapping: bool) -> None:
        """Begin a mapping or a list. Raises YamlError where neither is allowed."""
        self.counted(event)
        outer = self.stack[-1] if self.stack else None
        if len(self.stack) >= DEPTH_CAP:
            raise YamlError(f"nested more than {DEPTH_CAP} levels deep", _mark_of(event))
        if event.tag not in (None, "!"):
            raise YamlError(
                f"the tag {event.tag.replace('tag:yaml.org,2002:', '!!')} is not allowed here", _mark_of(event)
            )
        if outer is not None and outer.mapping is not None and outer.key is None:
            raise YamlError("a key is text, not a mapping or a list", _mark_of(event))
        position = None
        if self.positions:
            position = Position(
                _mark_of(event), _mark_of(event), False, {} if mapping else None, None if mapping else []
            )
        frame = _Frame({} if mapping else None, None if mapping else [], position, event.anchor, self.count)
        if len(self.stack) == 2 and outer is not None and outer.items is not None:
            self.item(len(outer.items), event)
        if event.anchor:
            self.anchors.pop(event.anchor, None)
        self.stack.append(frame)

    def item(self, index: int, event: yaml.Event) -> None:
        """Keep the line of an item of a list under a key of the document."""
        lines = self.lines.setdefault(self.stack[0].key or "", array("I"))
        line = _mark_of(event)[0] + 1
        while len(lines) <= index:  # scalars before it have no line of their own
            lines.append(line)

    def end_collection(self, event: yaml.MappingEndEvent | yaml.SequenceEndEvent) -> None:
        """Finish the innermost mapping or list and put it into the one around it."""
        frame = self.stack.pop()
        if frame.merges:
            _merge(frame, _mark_of(event))
        value: JsonValue = frame.mapping if frame.mapping is not None else frame.items
        if frame.anchor:
            self.anchors[frame.anchor] = (value, frame.position, self.count - frame.count_before + 1)
        key = self.stack[-1].key if self.stack else None
        self.put(value if key is None else self.shared(key, value), frame.position)

    def shared(self, key: str, value: JsonValue) -> JsonValue:
        """The value, or the equal one that stood under the same key before, as in most checks of a suite."""
        before = self.before.get(key)
        if before == value and repr(before) == repr(value):  # because 1 == True == 1.0
            return before
        self.before[key] = value
        return value

    def alias(self, event: yaml.AliasEvent) -> None:
        """Put the value of an anchor. Raises YamlError for an unknown one, or if aliases expand to too many values."""
        frame = self.stack[-1] if self.stack else None
        if frame is not None and frame.mapping is not None and frame.key is None:
            raise YamlError("a key is text, not an alias", _mark_of(event))
        anchor = self.anchors.get(event.anchor or "")
        if anchor is None:
            open_ = any(frame.anchor == event.anchor for frame in self.stack)
            why = "contains itself" if open_ else "has no anchor before it"
            raise YamlError(f"the alias *{event.anchor} {why}", _mark_of(event))
        value, position, size = anchor
        self.count += size
        self.expanded += size
        if self.expanded > EXPANSION_CAP:
            raise YamlError(f"aliases expand to more than {EXPANSION_CAP} values", _mark_of(event))
        self.put(value, position)

    def put(self, value: JsonValue, position: Position | None) -> None:
        """Add a value to the mapping or list that is being read, or make it the document."""
        if not self.stack:
            self.root, self.root_position = value, position
            return
        frame = self.stack[-1]
        if frame.items is not None:
            frame.items.append(value)
            if frame.position is not None and frame.position.items is not None and position is not None:
                frame.position.items.append(position)
            return
        key, frame.key = frame.key, None
        if frame.mapping is None or key is None:
            return
        if frame.merging:
            frame.merges.append((value, position))
            return
        frame.mapping[key] = value
        if frame.position is not None and frame.position.keys is not None and position is not None:
            frame.position.keys[key] = Position(
                frame.key_mark, position.value, position.is_scalar, position.keys, position.items
            )


def _merge(frame: _Frame, end: Mark) -> None:
    """Add the keys of the mappings that `<<` names; the mapping's own keys win, then those of earlier mappings."""
    for value, position in frame.merges:
        parts = value if isinstance(value, list) else [value]
        positions = position.items if position is not None and position.items is not None else [position] * len(parts)
        for part, part_position in zip(parts, positions, strict=False):
            if not isinstance(part, dict):
                raise YamlError("<< takes a mapping or a list of mappings", position.value if position else end)
            for key, item in part.items():
                if frame.mapping is not None and key not in frame.mapping:
                    frame.mapping[key] = item
                    if (
                        frame.position is not None
                        and frame.position.keys is not None
                        and part_position
                        and part_position.keys
                    ):
                        frame.position.keys[key] = part_position.keys[key]


def _mark_of(event: yaml.Event) -> Mark:
    """Return the line and column at which an event begins, counted from 0."""
    mark = event.start_mark
    return (mark.line, mark.column) if mark is not None else (0, 0)
