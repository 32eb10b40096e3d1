"""YAML files that other tools read, such as compose files and manifests, as JSON values: several documents, tags."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import yaml

from xnai_validate.config.yaml_files.document import SIZE_CAP
from xnai_validate.config.yaml_files.positions import YamlError
from xnai_validate.config.yaml_files.reader import VALUES_CAP, read_yaml
from xnai_validate.errors import ConfigError
from xnai_validate.model.json import JsonValue

# A PyYAML that was built without libyaml is slower, with the same events.
_Loader = yaml.CSafeLoader if yaml.__with_libyaml__ else yaml.SafeLoader
_Dumper = yaml.CDumper if yaml.__with_libyaml__ else yaml.Dumper

TAGS = ("!reset", "!override")
"""The tags of compose files; a tagged value is read as a mapping from the tag to it."""


def read_documents(path: Path) -> list[JsonValue]:
    """The documents of a YAML file. Raises ConfigError, with the line, for a file that cannot be read."""
    data = read_text(path).encode()
    try:
        return [read_yaml(document).value for document in _documents(data)]
    except YamlError as error:
        raise ConfigError(f"{path}:{error.line + 1}: {error.message}", hint=error.hint) from None
    except yaml.YAMLError as error:
        line = getattr(getattr(error, "problem_mark", None), "line", 0)
        raise ConfigError(f"{path}:{line + 1}: {getattr(error, 'problem', None) or 'not YAML'}") from None


def read_text(path: Path) -> str:
    """The text of a regular file of at most 8 MiB. Raises ConfigError."""
    if not os.path.isfile(path):
        raise ConfigError(f"there is no file {path}" if not os.path.exists(path) else f"{path} is not a regular file")
    try:
        with open(path, "rb") as file:
            data = file.read(SIZE_CAP + 1)
        if len(data) > SIZE_CAP:
            raise ConfigError(f"{path} is larger than {SIZE_CAP // 2**20} MiB")
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ConfigError(f"{path} is not UTF-8 text") from None
    except OSError as error:
        raise ConfigError(f"cannot read {path}: {error.strerror or error}") from None


def _documents(data: bytes) -> Iterator[bytes]:
    """Each document as a text of its own, without tags; a text that is one document without tags stays as it is."""
    if b"\n---" not in data and not any(tag.encode() in data for tag in TAGS):
        yield data
        return
    events: list[yaml.Event] = []
    count = 0
    for event in _replace_tags(data):
        count += isinstance(event, yaml.NodeEvent | yaml.DocumentStartEvent)
        if count > VALUES_CAP:
            mark = event.start_mark
            place = (mark.line, mark.column) if mark else (0, 0)
            raise YamlError(f"a file has more than {VALUES_CAP} keys and values", place, "split it")
        if isinstance(event, yaml.DocumentStartEvent):
            events = []
        elif isinstance(event, yaml.DocumentEndEvent):
            whole = [yaml.StreamStartEvent(), yaml.DocumentStartEvent(), *events, yaml.DocumentEndEvent()]
            yield str(
                yaml.emit([*whole, yaml.StreamEndEvent()], Dumper=_Dumper, width=10**6, allow_unicode=True)
            ).encode()
        elif not isinstance(event, yaml.StreamStartEvent | yaml.StreamEndEvent):
            events.append(event)


def _replace_tags(data: bytes) -> Iterator[yaml.Event]:
    """Yield the events of a text, in which each value with a tag of compose files is the value of a mapping."""
    depth, open_tags = 0, []
    for event in yaml.parse(data, Loader=_Loader):
        is_tagged = isinstance(event, yaml.ScalarEvent | yaml.CollectionStartEvent) and event.tag in TAGS
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        if isinstance(event, yaml.ScalarEvent | yaml.CollectionStartEvent) and event.tag in TAGS:
            yield yaml.MappingStartEvent(None, None, True)
            yield yaml.ScalarEvent(None, None, (True, False), event.tag)
            event.tag = None
            if isinstance(event, yaml.ScalarEvent):
                event.implicit = (True, True)
            else:
                event.implicit = True
                open_tags.append(depth)
        yield event
        if is_tagged and isinstance(event, yaml.ScalarEvent):
            yield yaml.MappingEndEvent()
        if isinstance(event, yaml.CollectionEndEvent):
            if open_tags and open_tags[-1] == depth:
                open_tags.pop()
                yield yaml.MappingEndEvent()
            depth -= 1
