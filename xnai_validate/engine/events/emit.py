"""Events on their way: numbered, dated, masked, written to the journal, and handed to the reader of the run."""

from __future__ import annotations

import asyncio
import fcntl
import os
from collections import deque
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

from xnai_validate.engine.state_folder import create_private
from xnai_validate.kit import Clock
from xnai_validate.model.json import json_pieces, to_json
from xnai_validate.model.judging.findings import Finding
from xnai_validate.model.results.events import (
    CheckFinished,
    Event,
    FaultInjected,
    FaultReverted,
    Notice,
    RunFinished,
    RunStarted,
)
from xnai_validate.model.results.exchange import Exchange
from xnai_validate.model.results.report import CheckInfo, Criterion, RunInfo
from xnai_validate.model.results.report_builder import ReportBuilder
from xnai_validate.model.results.status import Status
from xnai_validate.model.results.vantage import VantageResult
from xnai_validate.model.secrets.masking import Masker

BACKLOG = 1000
"""Limit of unread events; at this limit no new check starts until all are read."""
EVENT_CAP = 1 << 20
"""Bytes of one event as JSON; the facts of a larger one are left out."""
KEEP_RUNS = 50
KEEP_BYTES = 256 << 20
"""The journals that are kept when another begins, by number and by size."""
_NAMES = frozenset({"id", "blocked_by", "target", "fault", "undo", "check", "level", "stopped"})
"""Fields with names from the files of the profile, which are not masked."""
_PLAIN = frozenset({int, float, bool, type(None), Status})
"""Types of values that cannot hold a secret."""
_WITH_FACTS = ("facts", "vantage")
_EXCHANGE = tuple(field.name for field in fields(Exchange))
_SYNCED = (FaultInjected, FaultReverted, RunFinished)
"""Events that are synced to disk: after a crash of the machine, the journal still shows each fault and its revert."""


class Outbox:
    """An asynchronous iterator of events; ends once it is closed and read, raising the error it was closed with."""

    def __init__(self, drained: Callable[[], None]) -> None:
        """`drained` is called when a full backlog has been read."""
        self._events: deque[Event] = deque()
        self._drained = drained
        self._reader: asyncio.Future[None] | None = None
        # Set when the backlog is full, cleared when it is empty; while it is set, no new check starts.
        self._behind = False
        self._closed = False
        self._error: BaseException | None = None

    @property
    def full(self) -> bool:
        """Whether the reader is so far behind that nothing new should begin."""
        return len(self._events) >= BACKLOG

    def put(self, event: Event) -> None:
        """Add one event; never waits."""
        self._events.append(event)
        self._behind = self._behind or self.full
        self._wake_reader()

    def close(self, error: BaseException | None = None) -> None:
        """No event follows; `error` is raised to the reader after the last one."""
        self._closed, self._error = True, error
        self._wake_reader()

    def _wake_reader(self) -> None:
        """Wake the reader if it waits for an event."""
        if self._reader is not None and not self._reader.done():
            self._reader.set_result(None)

    def __aiter__(self) -> Outbox:
        return self

    async def __anext__(self) -> Event:
        """Wait for the next event. Raises the error of `close` after the last one, once; then StopAsyncIteration."""
        while not self._events:
            if self._closed:
                error, self._error = self._error, None
                raise error or StopAsyncIteration
            self._reader = asyncio.get_running_loop().create_future()
            await self._reader
        event = self._events.popleft()
        if self._behind and not self._events:
            self._behind = False
            self._drained()
        return event


class Journal:
    """An append-only file of events."""

    def __init__(self, path: Path) -> None:
        """Create it, readable by its owner only; older journals beyond the limits are removed.

        Raises OSError if it cannot be written or exists already.
        """
        create_private(path.parent)
        _prune(path.parent)
        self.path = path
        self._fd = os.open(path, os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_WRONLY | os.O_CLOEXEC, 0o600)
        with suppress(OSError):  # a file system without locks
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)  # shows that the run goes on, see `is_being_written`

    def append(self, line: Iterable[bytes], *, synced: bool) -> None:
        """Write one event, given in pieces; `synced` waits until it is on the disk. Raises OSError."""
        last = b""
        for piece in line:
            self._write_all(last)
            last = piece
        self._write_all(last + b"\n")
        if synced:
            os.fsync(self._fd)

    def _write_all(self, data: bytes) -> None:
        """Write all bytes to the journal; the system may take only a part at a time."""
        rest = memoryview(data)
        while rest:
            rest = rest[os.write(self._fd, rest) :]

    def close(self) -> None:
        """Close the file."""
        os.close(self._fd)


def _prune(folder: Path) -> None:
    """Remove the oldest journals, so that at most KEEP_RUNS - 1 and at most KEEP_BYTES are left."""
    kept = size = 0
    with os.scandir(folder) as entries:
        journals = [entry for entry in entries if entry.name.endswith(".jsonl")]
    for journal in sorted(journals, key=lambda entry: entry.name, reverse=True):
        with suppress(OSError):  # another run may have removed it
            kept, size = kept + 1, size + journal.stat().st_size
            if kept >= KEEP_RUNS or size > KEEP_BYTES:
                os.unlink(journal.path)


class Emitter:
    """Makes the events of a run."""

    def __init__(self, masker: Masker, clock: Clock, outbox: Outbox) -> None:
        self._masker = masker
        self._clock = clock
        self._outbox = outbox
        self._seq = 0
        self.journal: Journal | None = None
        self.builder: ReportBuilder | None = None
        """Builds the report of the run meanwhile; None unless the report is needed before the run ends."""

    def emit(self, kind: Callable[..., Event], **fields: object) -> None:
        """Make one event of a kind; `fields` are its fields besides `seq` and `at`."""
        self._seq += 1
        # Facts first, for they show what is secret in the texts about them.
        fields = {**{name: fields[name] for name in _WITH_FACTS if name in fields}, **fields}
        masked = {
            name: value if name in _NAMES or type(value) in _PLAIN else self._mask(value)
            for name, value in fields.items()
        }
        event = kind(seq=self._seq, at=self._clock.time(), **masked)
        if isinstance(event, RunStarted):
            broken = self._write_event(json_pieces(event), synced=False)
        else:
            line = to_json(event)
            if len(line) > EVENT_CAP and "facts" in masked:
                masked["facts"] = {"...": f"the facts were left out: {len(line)} bytes"}
                masked["vantage"] = _without_facts(masked.get("vantage", ()))
                event = kind(seq=self._seq, at=event.at, **masked)
                line = to_json(event)
            broken = self._write_event((line,), synced=isinstance(event, _SYNCED))
        self._outbox.put(event)
        if self.builder is not None:
            self.builder.add(event)
        if broken is not None:
            self._warn_of_journal(broken)

    def carry_over(self, event: CheckFinished | FaultInjected | FaultReverted) -> None:
        """Repeat an event of the run that this one resumes, at the time at which it happened."""
        self._seq += 1
        self._pass_on(replace(event, seq=self._seq))

    def _pass_on(self, event: Event) -> None:
        """Write a whole event to the journal, and hand it to the reader of the run."""
        broken = self._write_event((to_json(event),), synced=False)
        self._outbox.put(event)
        if self.builder is not None:
            self.builder.add(event)
        if broken is not None:
            self._warn_of_journal(broken)

    def _warn_of_journal(self, why: str) -> None:
        """Emit a warning that the journal ends here, and why."""
        self.emit(Notice, level="warning", text=f"the journal ends here: {why}; the run goes on without it")

    def _write_event(self, line: Iterable[bytes], *, synced: bool) -> str | None:
        """Append an event to the journal, on disk at once if `synced`; return the reason if that is not possible."""
        if self.journal is None:
            return None
        try:
            self.journal.append(line, synced=synced)
        except OSError as error:
            self.close()
            return error.strerror or str(error)
        return None

    def close(self) -> None:
        """Close the journal."""
        if self.journal is not None:
            self.journal.close()
            self.journal = None

    def text(self, text: str) -> str:
        """`text` without secrets."""
        return self._masker.text(text)

    def mask(self, secret: str) -> None:
        """Mask a secret that was found while measuring in all events from now on."""
        self._masker.mask(secret)

    def _mask(self, value: object) -> object:
        """Return a value of any field of an event with secrets masked."""
        if type(value) is str:
            return self._masker.text(value)
        if isinstance(value, Finding):
            return self._mask_finding(value)
        if isinstance(value, tuple):
            return tuple([self._mask(item) for item in value])
        if isinstance(value, dict):
            return self._masker.json(value)
        if isinstance(value, Exchange):
            return Exchange(**{name: self._mask(getattr(value, name)) for name in _EXCHANGE})  # type: ignore[arg-type]
        if isinstance(value, VantageResult):
            return self._mask_vantage(value)
        if isinstance(value, CheckInfo):
            return self._replace_masked(value, title=value.title, fix=value.fix, fixes=value.fixes, source=value.source)
        if isinstance(value, RunInfo):
            return self._replace_masked(value, title=value.title, host=value.host)
        if isinstance(value, Criterion):
            return replace(value, rule=replace(value.rule, operand=self._masker.json(value.rule.operand)))
        return value

    def _mask_finding(self, finding: Finding) -> Finding:
        """Return a finding with secrets masked."""
        expected, actual = self._masker.json(finding.expected), self._masker.json(finding.actual)
        if expected == finding.expected and actual == finding.actual:
            return finding
        return replace(finding, expected=expected, actual=actual)

    def _mask_vantage(self, result: VantageResult) -> VantageResult:
        """Return the result from a vantage point with secrets masked, its facts first."""
        facts: Any = self._mask(result.facts)
        findings: Any = self._mask(result.findings)
        reason = None if result.reason is None else self._masker.text(result.reason)
        return replace(result, facts=facts, findings=findings, reason=reason)

    def _replace_masked(self, value: CheckInfo | RunInfo, **fields: object) -> object:
        """Return the value with the given fields masked; the value itself if nothing changes."""
        changed = {name: self._mask(field) for name, field in fields.items()}
        return value if changed == fields else replace(value, **changed)  # type: ignore[arg-type]


def _without_facts(results: object) -> object:
    """Return results of vantage points without their facts and findings, for an event that would be too large."""
    return tuple([replace(each, facts={}, findings=()) for each in results]) if isinstance(results, tuple) else results
