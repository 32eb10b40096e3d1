"""Stored runs: journals by the id of a run, baselines by name, and files of both and of JSON reports."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from pydantic import ValidationError

from xnai_validate.baseline import store
from xnai_validate.baseline.record import RecordedRun, recorded
from xnai_validate.engine.events.journal import journals, read_journal
from xnai_validate.engine.state_folder import refuse_shared, state_dir
from xnai_validate.errors import ConfigError, XnaiError
from xnai_validate.model.results.events import Event
from xnai_validate.model.results.report import RunReport
from xnai_validate.model.results.report_builder import build_report
from xnai_validate.model.suggestions import did_you_mean
from xnai_validate.opening import open_at_once
from xnai_validate.report.formats.json import parse

LAST = "last"
"""The name of the newest run."""
MAX_BYTES = 256 << 20

_JOURNAL_BEGINNING = b'{"seq":'
"""How the first event of every journal begins."""


def report_of(name: str) -> RunReport:
    """Return the report of a run, from its journal or a JSON report. Raises ConfigError if it cannot be read."""
    if _is_json_document(name):
        return _parse_report(_read_file(Path(name)), Path(name))
    return report_of_journal(journal_of(name))


def events_of(name: str) -> Iterator[Event]:
    """Return the events of a run from its journal. Raises ConfigError if it cannot be read; iterating, XnaiError."""
    if _is_json_document(name):
        raise ConfigError(f"{name} is a report, and has no events", hint="name a run, or the file of its journal")
    path = journal_of(name)
    events = read_journal(path)
    try:
        first = next(events, None)
    except XnaiError as error:
        raise ConfigError(error.message, hint=error.hint) from None
    if first is None:
        raise ConfigError(f"the journal {path} is empty")
    return chain((first,), events)


@dataclass(frozen=True, slots=True)
class Side:
    """One side of a comparison."""

    runs: tuple[RecordedRun, ...]
    """The runs of a baseline, or the one run of a journal or report."""
    report: RunReport | None = None
    """The report of a single run; None for a baseline."""


def recorded_of(name: str) -> tuple[RecordedRun, ...]:
    """Return the runs of a baseline, or the one run of a journal or report. Raises ConfigError if it cannot be read."""
    return side_of(name).runs


def side_of(name: str) -> Side:
    """Return what a name stands for in a comparison. Raises ConfigError if it cannot be read."""
    state = state_dir()
    if not _is_file(name):
        refuse_shared(state, state / "baselines", state / "runs")
    baselines = store.baseline_names(state)
    if not _is_file(name) and name in baselines:
        return Side(store.load(store.baseline_path(name, state)).runs)
    if _is_json_document(name):
        data = _read_file(Path(name))
        if b'"xnai-validate/baseline/' in data[:200]:
            return Side(store.parse(data, Path(name)).runs)
        report = _parse_report(data, Path(name))
    else:
        try:
            report = report_of_journal(journal_of(name))
        except ConfigError as error:
            if _is_file(name):
                raise
            hint = did_you_mean(name, baselines) or error.hint
            raise ConfigError(f'no baseline and no run is named "{name}"', hint=hint) from None
    try:
        return Side((recorded(report, passed_only=False),), report)
    except ValueError as error:  # its targets are not verified by the schema of reports
        raise ConfigError(f"{name} is not a report that can be compared: {error}") from None


def _is_file(name: str) -> bool:
    """Return whether an argument names a file, by its folder or extension, and not a run or a baseline."""
    return "/" in name or name.endswith((".json", ".jsonl", ".ndjson"))


def _is_json_document(name: str) -> bool:
    """Whether an argument names a file with one JSON document (a report or a baseline), not a journal of events.

    A journal under another extension is recognized by its beginning.
    """
    if not _is_file(name) or name.endswith((".jsonl", ".ndjson")):
        return False
    try:
        with open(name, "rb", opener=open_at_once) as file:
            return not file.read(len(_JOURNAL_BEGINNING)).startswith(_JOURNAL_BEGINNING)
    except OSError as error:
        raise ConfigError(f"{name} cannot be read: {error.strerror or error}") from None


def journal_of(name: str) -> Path:
    """Return the journal of a file name, a run's id, the beginning of one, or `last`. Raises ConfigError."""
    if _is_file(name):
        return Path(name)
    state = state_dir()
    paths = journals(state)
    if not paths:
        raise ConfigError(f"no run is stored in {state / 'runs'}")
    if name == LAST:
        return paths[-1]
    matching = [path for path in paths if path.stem == name] or [path for path in paths if path.stem.startswith(name)]
    if len(matching) == 1:
        return matching[0]
    if matching:
        raise ConfigError(f'{len(matching)} runs begin with "{name}"', hint="list them with: xnai-validate list runs")
    hint = did_you_mean(name, [path.stem for path in paths])
    raise ConfigError(f'no run "{name}" is stored', hint=hint or "list the runs with: xnai-validate list runs")


def report_of_journal(path: Path) -> RunReport:
    """Return the report of the file of a journal. Raises ConfigError if it cannot be read."""
    try:
        return build_report(read_journal(path))
    except ValueError as error:
        raise ConfigError(f"{path}: {error}") from None
    except XnaiError as error:
        raise ConfigError(error.message, hint=error.hint) from None


def _read_file(path: Path) -> bytes:
    """Return the content of a file. Raises ConfigError for a device, a file that is too large or unreadable."""
    try:
        with open(path, "rb", opener=open_at_once) as file:
            found = os.fstat(file.fileno())
            if stat.S_ISCHR(found.st_mode):
                raise ConfigError(f"{path} cannot be read: it is a device")
            data = b"" if found.st_size > MAX_BYTES else file.read(MAX_BYTES + 1)
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror or error}") from None
    if max(len(data), found.st_size) > MAX_BYTES:
        raise ConfigError(f"{path} is larger than {MAX_BYTES >> 20} MiB")
    return data


def _parse_report(data: bytes, path: Path) -> RunReport:
    """Parse a JSON report. Raises ConfigError with the place of the first error."""
    try:
        report = parse(data)
        known = {check.id for check in report.checks}
        for cause in report.causes:
            if unknown := {cause.id, *cause.alike, *cause.blocks} - known:
                raise ConfigError(f"{path} is damaged: its causes name {min(unknown)}, a check that it does not have")
        return report
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        raise ConfigError(
            f"{path} is not a report of this version: {f'{place}: ' if place else ''}{first['msg']}",
            hint="its schema: xnai-validate schema report",
        ) from None
