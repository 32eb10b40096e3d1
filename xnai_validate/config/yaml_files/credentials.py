"""Where credentials stand in a YAML file, so that the lines that errors show have none.

A line alone does not show it: the name of a value may stand in another line, or where an anchor is used.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import yaml

from xnai_validate.config.yaml_files.reader import VALUES_CAP, events_of
from xnai_validate.model.secrets.credentials import credentials_within
from xnai_validate.model.secrets.excerpts import credentials_in, is_credential
from xnai_validate.model.secrets.forms import Span, is_generated_value
from xnai_validate.model.secrets.names import looks_generated, looks_secret

VALUE_KEYS = frozenset({"value", "key", "raw"})
"""Members that hold the credential where a mapping stands under a secret name."""
NAME_KEYS = frozenset({"name", "key", "header"})
"""Members that hold the name of a credential, as in lists of headers and of variables."""
VALUES_LOOKED_FOR = 200
"""Credentials that are looked for in other places of the file."""
UNREAD_CAP = 2_000
"""Lines before one that are looked at where the file is no YAML from some place on."""
_NAME_AT_END = re.compile(
    r"""(?<![\w.-])(?P<name>[\w.-]{1,100}+)["']?\s*:\s*(?:[&!]\S+\s+)*+"""
    r"""(?P<value>[|>][^"':]*+|"(?:[^"\\]|\\.)*+|'[^']*+|)$""",
    re.ASCII,
)
"""A name whose value goes on in the next lines: a block, an open quote, or one that has not begun."""
_VAR = re.compile(r"\$\{([a-z][\w.-]*)\}", re.ASCII)
"""A reference to a var."""
_HINTS = tuple(
    word.encode()
    for word in ("pass", "pw", "token", "auth", "secret", "key", "cookie", "jwt", "sig", "otp", "bearer", "sessid")
)
"""One of these is in every file with a credential under a name."""
_KEY = re.compile(r"""\s*(?:- +)*["']?[\w.$-]+["']?\s*:(?:\s|$)""")
_BEFORE = re.compile(r"(?:[&!]\S*\s+)*")
"""The anchor and the tag before a scalar."""


@dataclass(slots=True)
class _Text:
    """A scalar and where it stands."""

    value: str
    begin: tuple[int, int]
    end: tuple[int, int]
    style: str | None
    key: str = ""
    is_hidden: bool = False


@dataclass(slots=True)
class _Level:
    """A mapping or a list that is being read."""

    is_mapping: bool
    name: str
    """The key that it stands under; that of the list for what is in a list."""
    path: tuple[str, ...]
    anchor: str | None
    key: str | None = None
    texts: list[_Text] = field(default_factory=list)
    """The scalars directly in it."""


@dataclass(slots=True)
class _Anchored:
    """The scalars of a value with an anchor."""

    texts: list[_Text]
    looked_at: set[tuple[bool, ...]] = field(default_factory=set)
    """What is known already of aliases: whether their names are secret, and so on."""


class Credentials:
    """The credentials of a file, by row."""

    def __init__(self, rows: Sequence[str], data: bytes) -> None:
        self._rows = rows
        self._spans: dict[int, list[Span]] = {}
        self._values: set[str] = set()
        self._referenced: set[str] = set()
        """The vars that credentials refer to."""
        self._anchors: dict[str, _Anchored] = {}
        self._vars: dict[str, _Text] = {}
        self._levels: list[_Level] = []
        self._unread: int | None = None
        """The row from which on the file is no YAML."""
        lowered = data.lower()
        if any(word in lowered for word in (*_HINTS, b"credential", b"connectsid", b"connect.sid")):
            self._read(data)

    def _read(self, data: bytes) -> None:
        """Find the credentials; what follows the first error of YAML is unread."""
        row = 0
        try:
            for count, event in enumerate(events_of(data)):
                if count > VALUES_CAP:
                    self._unread = row
                    break
                self._take(event)
                row = _place(event.end_mark)[0]
        except yaml.YAMLError:
            self._unread = row
        for name in self._referenced & self._vars.keys():
            self._hide(self._vars[name])

    def in_row(self, row: int) -> tuple[Span, ...]:
        """Where credentials stand in a row that do not show in the row alone."""
        line = self._rows[row]
        spans = list(self._spans.get(row, ()))
        for value in self._values:
            at = line.find(value)
            while at >= 0:
                spans.append((at, at + len(value)))
                at = line.find(value, at + len(value))
        if self._unread is not None and row >= self._unread:
            first = max(self._unread, row - UNREAD_CAP)
            spans += (span for at, span in _spans_of_unread(self._rows[first : row + 1]) if at == row - first)
        return tuple(spans)

    def _take(self, event: yaml.Event) -> None:
        """Take in an event of the parser."""
        level = self._levels[-1] if self._levels else None
        if isinstance(event, yaml.ScalarEvent):
            if level is not None and level.is_mapping and level.key is None:
                level.key = event.value
            else:
                self._take_text(level, event)
        elif isinstance(event, yaml.AliasEvent):
            self._take_alias(level, event.anchor or "")
        elif isinstance(event, yaml.MappingStartEvent | yaml.SequenceStartEvent):
            name = ""
            path: tuple[str, ...] = ()
            if level is not None:
                name = level.key if level.key is not None else level.name
                path = (*level.path, name) if level.is_mapping else level.path
            self._levels.append(_Level(isinstance(event, yaml.MappingStartEvent), name, path, event.anchor))
        elif isinstance(event, yaml.MappingEndEvent | yaml.SequenceEndEvent):
            ended = self._levels.pop()
            self._hide_within(ended, ended.texts)
            if ended.anchor:
                self._anchors[ended.anchor] = _Anchored(ended.texts)
            if self._levels:
                outer = self._levels[-1]
                # What has ended may have been a key itself: its value follows.
                outer.key = "" if outer.is_mapping and outer.key is None else None

    def _take_text(self, level: _Level | None, event: yaml.ScalarEvent) -> None:
        """Take in a scalar that is a value."""
        text = _Text(event.value, _place(event.start_mark), _place(event.end_mark), event.style)
        if text.end[0] > text.begin[0]:
            self._hide_by_form(text)
        if event.anchor:
            self._anchors[event.anchor] = _Anchored([replace(text)])
        if level is None:
            return
        text.key = level.key or ""
        level.texts.append(text)
        if level.is_mapping:
            if level.path[:1] == ("vars",):
                self._vars[".".join((*level.path[1:], text.key))] = text
            if is_credential(text.key, text.value):
                self._hide(text)
            level.key = None

    def _take_alias(self, level: _Level | None, anchor: str) -> None:
        """Take in an alias: what it names is a credential if it stands under a secret name."""
        if level is None:
            return
        anchored = self._anchors.get(anchor, _Anchored([]))
        if level.is_mapping and level.key is None:
            level.key = next((text.value for text in anchored.texts if not text.key), "")
            return
        self._look_at(anchored, level.key if level.key is not None else level.name)
        level.key = None

    def _look_at(self, anchored: _Anchored, name: str) -> None:
        """Hide what an anchor names, as far as it is a credential under the name of an alias; once for like names."""
        like = (looks_secret(name), is_credential(name, ""), name.lower() == "cookies")
        if like in anchored.looked_at:
            return
        anchored.looked_at.add(like)
        for text in anchored.texts:
            if not text.key and is_credential(name, text.value):
                self._hide(text)
        keyed = [text for text in anchored.texts if text.key]
        if keyed:
            self._hide_within(_Level(True, name, (), None), keyed)

    def _hide_within(self, level: _Level, texts: Sequence[_Text]) -> None:
        """Hide the values that are credentials by their key, or, in a list, by the item before them."""
        if not level.is_mapping:
            for before, text in zip((None, *texts), texts, strict=False):
                if is_credential(level.name, text.value) or (before is not None and _is_value_of(before, text)):
                    self._hide(text)
            return
        # Of {name: password, value: ...} the value is the secret, the name is not.
        has_secret_name = any(text.key.lower() in NAME_KEYS and looks_secret(text.value) for text in texts)
        is_cookie = level.name.lower() == "cookies"
        for text in texts:
            is_value = text.key in VALUE_KEYS and (has_secret_name or looks_secret(level.name))
            is_name = text.key.lower() in NAME_KEYS and looks_secret(text.value)
            if (is_cookie or is_value) and not is_name:
                self._hide(text)

    def _hide(self, text: _Text) -> None:
        """Hide a scalar wherever it stands in the file; many aliases may name it."""
        if text.is_hidden:
            return
        text.is_hidden = True
        self._referenced.update(_VAR.findall(text.value))
        if len(self._values) < VALUES_LOOKED_FOR and "${" not in text.value:
            self._values.update(filter(looks_generated, credentials_within(text.key, text.value)))
        (first, column), (last, end) = text.begin, text.end
        for row in range(first, min(last, len(self._rows) - 1) + 1):
            line = self._rows[row]
            begin = column if row == first else 0
            until = end if row == last else len(line)
            if row == first:
                before = _BEFORE.match(line, begin)
                begin = before.end() if before else begin
                if text.style in ("|", ">"):
                    continue
                begin += text.style in ("'", '"')
            if row == last and text.style in ("'", '"'):
                until -= 1
            piece = line[begin:until]
            self._add(row, (begin + len(piece) - len(piece.lstrip()), begin + len(piece.rstrip())))

    def _hide_by_form(self, text: _Text) -> None:
        """Hide credentials in a text of several lines, as in JSON, headers or a private key."""
        (first, column), (last, end) = text.begin, text.end
        lines = list(self._rows[first : last + 1])
        whole = "\n".join(lines)
        until = len(whole) - (len(lines[-1]) - end if lines and last < len(self._rows) else 0)
        starts = [0]
        for line in lines:
            starts.append(starts[-1] + len(line) + 1)
        for begin, stop in credentials_in(whole[column:until]):
            at = bisect_right(starts, column + begin) - 1
            while at < len(lines) and starts[at] < column + stop:
                line = lines[at]
                span = (max(column + begin - starts[at], 0), min(column + stop - starts[at], len(line)))
                self._add(first + at, span)
                at += 1

    def _add(self, row: int, span: Span) -> None:
        """Note where a credential stands."""
        if span[0] < span[1]:
            self._spans.setdefault(row, []).append(span)


def _place(mark: Any) -> tuple[int, int]:
    """Return the line and column of a mark of PyYAML; the first ones without a mark."""
    return (0, 0) if mark is None else (mark.line, mark.column)


def _is_value_of(before: _Text, text: _Text) -> bool:
    """Whether a text follows its name in a list: an option of a command, or the name of a header."""
    name = before.value
    if name.startswith("-"):
        return "=" not in name and looks_secret(name)
    if not is_credential(name, text.value) or " " in name or looks_secret(text.value):
        return False
    return "-" in name or is_generated_value(text.value)  # a list such as `[token, done]` names two events


def _spans_of_unread(rows: Iterable[str]) -> Iterator[tuple[int, Span]]:
    """Yield the row and place of what belongs to a secret name of an earlier row, where the rows are no YAML."""
    indent: int | None = None
    quote = ""
    is_block = False
    for at, row in enumerate(rows):
        begin = len(row) - len(row.lstrip())
        if quote:
            end = row.find(quote)
            yield at, (begin, len(row) if end < 0 else end)
            quote = quote if end < 0 else ""
        elif indent is not None and row.strip():
            if begin > indent and (is_block or not _KEY.match(row)):
                yield at, (begin, len(row))
                continue
            indent = None
        found = None if quote else _NAME_AT_END.search(row)
        if found is not None and looks_secret(found["name"]):
            quote = found["value"][:1] if found["value"][:1] in ("'", '"') else ""
            is_block = found["value"][:1] in ("|", ">")
            indent = None if quote else begin
