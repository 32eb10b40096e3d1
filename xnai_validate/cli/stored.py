"""What earlier runs left: journals by the id of a run, baselines by name, and files of all kinds."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from xnai_validate.engine.journal import journals, read_journal, state_dir
from xnai_validate.errors import ConfigError, XnaiError
from xnai_validate.model.results.events import Event
from xnai_validate.model.results.report import RunReport
from xnai_validate.model.results.report_builder import build_report
from xnai_validate.model.suggestions import did_you_mean

if TYPE_CHECKING:
    from xnai_validate.baseline.record import RecordedRun

LAST = "last"
"""The newest run."""
FILE_CAP = 256 << 20


def is_file(text: str) -> bool:
    """Whether a word names a file, and not a run or a baseline: it has a folder or an extension of these."""
    return "/" in text or text.endswith((".json", ".jsonl", ".ndjson"))


def journal_of(text: str) -> Path:
    """The journal of a run: of its id, the beginning of one, or `last`. Raises ConfigError where there is none."""
    state = state_dir()
    kept = journals(state)
    if not kept:
        raise ConfigError(f"no run is kept in {state / 'runs'}")
    if text == LAST:
        return kept[-1]
    found = [path for path in kept if path.stem == text] or [path for path in kept if path.stem.startswith(text)]
    if len(found) == 1:
        return found[0]
    if found:
        raise ConfigError(f'"{text}" is the beginning of {len(found)} runs', hint="xnai-validate list runs shows them")
    near = did_you_mean(text, [path.stem for path in kept])
    raise ConfigError(f'no run "{text}" is kept', hint=near or "xnai-validate list runs shows those that are")


def report_of(text: str) -> RunReport:
    """The report of a run, from its journal or a JSON report. Raises ConfigError where that is not to be had."""
    return _report(_whole(Path(text)), Path(text)) if _is_document(text) else _folded(_journal(text))


def events_of(text: str) -> Iterator[Event]:
    """The events of a run, from its journal. Raises ConfigError where there is none; what is read later, XnaiError."""
    if _is_document(text):
        raise ConfigError(f"{text} is a report, and has no events", hint="name a run, or the file of its journal")
    path = _journal(text)
    events = read_journal(path)
    try:
        first = next(events, None)
    except XnaiError as error:
        raise ConfigError(error.message, hint=error.hint) from None
    if first is None:
        raise ConfigError(f"the journal {path} is empty")
    return chain((first,), events)


def recorded_of(text: str) -> tuple[RecordedRun, ...]:
    """The runs of a baseline, or the one run of a journal or report. Raises ConfigError where that is not to be had."""
    from xnai_validate.baseline import record, store

    state = state_dir()
    if not is_file(text) and text in store.baseline_names(state):
        return store.load(store.baseline_path(text, state)).runs
    if not is_file(text):
        try:
            report = report_of(text)
        except ConfigError as error:
            named = did_you_mean(text, store.baseline_names(state))
            raise ConfigError(f'no baseline and no run is named "{text}"', hint=named or error.hint) from None
    elif not _is_document(text):
        report = _folded(Path(text))
    else:
        data = _whole(Path(text))
        if b'"xnai-validate/baseline/' in data[:200]:
            return store.parse(data, Path(text)).runs
        report = _report(data, Path(text))
    return (record.recorded(report, passed_only=False),)


def _is_document(text: str) -> bool:
    """Whether a word names a file that is one JSON document; a journal is a document a line."""
    if not is_file(text) or text.endswith((".jsonl", ".ndjson")):
        return False
    return not _begins_like_journal(Path(text))


def _begins_like_journal(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return file.read(8).startswith(b'{"seq":')
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror or error}") from None


def _journal(text: str) -> Path:
    return Path(text) if is_file(text) else journal_of(text)


def _folded(path: Path) -> RunReport:
    try:
        return build_report(read_journal(path))
    except ValueError as error:
        raise ConfigError(f"{path}: {error}") from None
    except XnaiError as error:
        raise ConfigError(error.message, hint=error.hint) from None


def _whole(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            data = file.read(FILE_CAP + 1)
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror or error}") from None
    if len(data) > FILE_CAP:
        raise ConfigError(f"{path} is larger than {FILE_CAP >> 20} MiB")
    return data


def _report(data: bytes, path: Path) -> RunReport:
    from pydantic import ValidationError

    from xnai_validate.report.formats.json import parse

    try:
        return parse(data)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        raise ConfigError(
            f"{path} is not a report of this version: {f'{place}: ' if place else ''}{first['msg']}",
            hint="xnai-validate schema report prints what it would be",
        ) from None
