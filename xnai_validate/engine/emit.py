"""Where events are made: numbered, dated, masked, written to the journal, handed over; in that order."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

from xnai_validate.engine.journal import Journal
from xnai_validate.engine.outbox import Outbox
from xnai_validate.kit import Clock
from xnai_validate.model.judging.rules import Finding
from xnai_validate.model.results.events import (
    Event,
    FaultInjected,
    FaultReverted,
    Notice,
    RunFinished,
    RunStarted,
    pieces,
    to_json,
)
from xnai_validate.model.results.report import CheckInfo, Criterion, RunInfo
from xnai_validate.model.results.report_builder import Folding
from xnai_validate.model.results.status import Status
from xnai_validate.model.text import Masker

EVENT_CAP = 1 << 20
"""Bytes of one event as JSON; the facts of a larger one are left out."""
_NAMES = frozenset({"id", "blocked_by", "target", "fault", "undo", "check", "level", "stopped"})
"""Fields that hold names from the profile's own files, which must stay what they are."""
_PLAIN = frozenset({int, float, bool, type(None), Status})
"""Types of values in which nothing can be secret."""
_SYNCED = (FaultInjected, FaultReverted, RunFinished)


class Emitter:
    """The one who makes the events of a run."""

    def __init__(self, masker: Masker, clock: Clock, outbox: Outbox) -> None:
        self._masker = masker
        self._clock = clock
        self._outbox = outbox
        self._seq = 0
        self.journal: Journal | None = None
        self.folding: Folding | None = None
        """The report so far, where somebody wants it at the end."""

    def emit(self, kind: Callable[..., Event], **fields: object) -> None:
        """Make one event; `fields` are those of its kind besides `seq` and `at`."""
        self._seq += 1
        masked = {
            name: value if name in _NAMES or type(value) in _PLAIN else self._masked(value)
            for name, value in fields.items()
        }
        event = kind(seq=self._seq, at=self._clock.time(), **masked)
        if isinstance(event, RunStarted):
            broken = self._write(pieces(event), synced=False)
        else:
            line = to_json(event)
            if len(line) > EVENT_CAP and "facts" in masked:
                masked["facts"] = {"...": f"the facts were left out: {len(line)} bytes"}
                event = kind(seq=self._seq, at=event.at, **masked)
                line = to_json(event)
            broken = self._write((line,), synced=isinstance(event, _SYNCED))
        self._outbox.put(event)
        if self.folding is not None:
            self.folding.take(event)
        if broken is not None:
            self.emit(Notice, level="warning", text=f"the journal ends here: {broken}; the run goes on without it")

    def _write(self, line: Iterable[bytes], *, synced: bool) -> str | None:
        """Append an event to the journal; returns why that is no longer possible."""
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
        """`text` as it may be shown: without secrets."""
        return self._masker.text(text)

    def _masked(self, value: object) -> object:
        """`value` without secrets, whatever field of an event it is."""
        if type(value) is str:
            return self._masker.text(value)
        if isinstance(value, Finding):
            return self._finding(value)
        if isinstance(value, tuple):
            return tuple([self._masked(item) for item in value])
        if isinstance(value, dict):
            return self._masker.json(value)
        if isinstance(value, CheckInfo):
            return self._copied(value, title=value.title, fix=value.fix, source=value.source)
        if isinstance(value, RunInfo):
            return self._copied(value, title=value.title, host=value.host)
        if isinstance(value, Criterion):
            return replace(value, rule=replace(value.rule, operand=self._masker.json(value.rule.operand)))
        return value

    def _finding(self, finding: Finding) -> Finding:
        expected, actual = self._masker.json(finding.expected), self._masker.json(finding.actual)
        if expected == finding.expected and actual == finding.actual:
            return finding
        return replace(finding, expected=expected, actual=actual)

    def _copied(self, value: CheckInfo | RunInfo, **fields: object) -> object:
        changed = {name: self._masked(field) for name, field in fields.items()}
        return value if changed == fields else replace(value, **changed)  # type: ignore[arg-type]
