"""What checks measured and how it was judged, kept small: a run may have thousands of them, and a report asks for few.

The evidence of many checks differs in some figures only: compressed together, it takes a fiftieth.
"""

from __future__ import annotations

import json
import marshal
from dataclasses import fields
from operator import attrgetter
from typing import Any

from xnai_validate.model.json import JsonObject, to_json
from xnai_validate.model.judging.findings import Finding
from xnai_validate.model.results.events import CheckFinished
from xnai_validate.model.results.exchange import Exchange
from xnai_validate.model.results.fixes import fix_for
from xnai_validate.model.results.repeat_command import repeat_command
from xnai_validate.model.results.report import CheckInfo, CheckResult
from xnai_validate.model.results.status import Status
from xnai_validate.model.results.vantage import VantageResult

TOGETHER = 128
"""Checks whose evidence is packed together; that of the last ones, and of a short run, is kept as it is."""

Item = tuple[tuple[Finding, ...], JsonObject, tuple[Exchange, ...], tuple[VantageResult, ...]]
"""Findings, facts and exchanges of a check, and its results from vantage points."""


class Evidence:
    """The findings, facts, exchanges and results from vantage points of many checks, by number."""

    def __init__(self) -> None:
        self._pack: list[bytes] = []
        self._last: list[Item] = []
        self._open: tuple[int, list[Item]] = (-1, [])
        """The number and the items of the block that was read last: reports read in order."""

    def add(
        self,
        findings: tuple[Finding, ...],
        facts: JsonObject,
        exchanges: tuple[Exchange, ...] = (),
        vantage: tuple[VantageResult, ...] = (),
    ) -> int:
        """Keep the evidence of a check; returns its number."""
        number = len(self._pack) * TOGETHER + len(self._last)
        self._last.append((findings, facts, exchanges, vantage))
        if len(self._last) == TOGETHER:
            self._pack.append(_pack(self._last))
            self._last = []
        return number

    def get(self, number: int) -> Item:
        """The evidence of a number."""
        block, place = divmod(number, TOGETHER)
        if block == len(self._pack):
            return self._last[place]
        if self._open[0] != block:
            self._open = (block, _unpack(self._pack[block]))
        return self._open[1][place]


def _pack(items: list[Item]) -> bytes:
    """Compress the evidence of several checks into one block."""
    from zlib import compress  # short runs need none of it

    plain = [
        (
            [_values(finding) for finding in findings],
            facts,
            [_exchange_values(exchange) for exchange in exchanges],
            [_plain_vantage(result) for result in vantage],
        )
        for findings, facts, exchanges, vantage in items
    ]
    try:
        data = marshal.dumps(plain)
    except ValueError:  # marshal refuses subclasses of str, int and float; JSON writes them as their base types
        data = marshal.dumps(json.loads(to_json(plain)))
    return compress(data, 1)


def _unpack(block: bytes) -> list[Item]:
    """Return what `_pack` compressed."""
    from zlib import decompress

    return [
        (
            tuple([Finding(*values) for values in findings]),
            facts,
            tuple([Exchange(**dict(zip(_EXCHANGE, values, strict=True))) for values in exchanges]),
            tuple([_vantage_of(*values) for values in vantage]),
        )
        for findings, facts, exchanges, vantage in marshal.loads(decompress(block))
    ]


def _plain_vantage(result: VantageResult) -> tuple[Any, ...]:
    """Return the result from a vantage point as plain data."""
    findings = [_values(finding) for finding in result.findings]
    return result.name, result.status.value, result.reason, findings, result.facts, result.elapsed_ms


def _vantage_of(
    name: str, status: str, reason: str | None, findings: list[Any], facts: JsonObject, elapsed_ms: float
) -> VantageResult:
    """Return the result from a vantage point that `_plain_vantage` returned as plain data."""
    kept = tuple([Finding(*values) for values in findings])
    return VantageResult(
        name=name, status=Status(status), reason=reason, findings=kept, facts=facts, elapsed_ms=elapsed_ms
    )


_values = attrgetter(*(field.name for field in fields(Finding)))
_EXCHANGE = tuple(field.name for field in fields(Exchange))
_exchange_values = attrgetter(*_EXCHANGE)


class EndedCheck(CheckResult):
    """A check that has ended; its evidence is unpacked only when it is read."""

    __slots__ = ("_evidence", "_number")

    @classmethod
    def of(
        cls,
        info: CheckInfo,
        end: CheckFinished,
        evidence: Evidence,
        times_ms: tuple[float | None, float | None] = (None, None),
    ) -> EndedCheck:
        """The result of a check; what was measured goes to `evidence`.

        `times_ms`: its beginning and its end, from the beginning of the run.
        """
        made = cls.__new__(cls)
        for name in _OF_INFO:
            _set(made, name, getattr(info, name))
        for name in _OF_END:
            _set(made, name, getattr(end, name))
        fix = info.fix if end.status.passed else fix_for(info.fix, info.fixes or {}, end.findings, end.facts)
        _set(made, "fix", fix)
        _set(made, "began_ms", times_ms[0])
        _set(made, "ended_ms", times_ms[1])
        _set(made, "_evidence", evidence)
        _set(made, "_number", evidence.add(end.findings, end.facts, end.exchanges, end.vantage))
        return made

    def __getattr__(self, name: str) -> Any:
        # Python calls this for the fields that `of` leaves unset.
        if name in _IN_EVIDENCE:
            return self._evidence.get(self._number)[_IN_EVIDENCE.index(name)]
        if name == "repeat":
            return repeat_command(self.status, self.exchanges)
        raise AttributeError(f"{type(self).__name__} has no {name}")

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, CheckResult):
            return NotImplemented
        return all(getattr(self, field.name) == getattr(other, field.name) for field in fields(CheckResult))

    __hash__ = CheckResult.__hash__


_IN_EVIDENCE = ("findings", "facts", "exchanges", "vantage")
"""The fields of an `Item`, in its order."""
_OF_INFO = (
    "id",
    "title",
    "category",
    "kind",
    "target",
    "covers",
    "tags",
    "source",
    "promise",
    "waiver",
    "faults",
    "severity",
)
_OF_END = ("status", "reason", "blocked_by", "attempts", "elapsed_ms")
_set = object.__setattr__
