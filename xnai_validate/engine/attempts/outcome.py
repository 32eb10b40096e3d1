"""The outcome of a check: its status and what led to it."""

from __future__ import annotations

from dataclasses import dataclass, field

from xnai_validate.model.json import JsonObject
from xnai_validate.model.judging.findings import Finding
from xnai_validate.model.results.exchange import Exchange
from xnai_validate.model.results.status import Status
from xnai_validate.model.results.vantage import VantageResult

WITH_EXCHANGES = frozenset({Status.FAIL, Status.ERROR, Status.WARN})
"""Statuses whose report shows what was sent and what came back."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """The result of one attempt, or of all attempts of a check."""

    status: Status
    reason: str | None = None
    """One sentence about a status other than pass."""
    findings: tuple[Finding, ...] = ()
    facts: JsonObject = field(default_factory=dict)
    elapsed_ms: float = 0.0
    broken: bool = False
    """Whether the checker itself failed."""
    tool_late: bool = False
    """Whether it is an error because this tool was itself late."""
    exchanges: tuple[Exchange, ...] = ()
    """What was sent and what came back, unless it passed."""
    vantage: tuple[VantageResult, ...] = ()
    """The result from each vantage point, where the check has some; the rest is that of the worst."""

    @property
    def final(self) -> bool:
        """Whether no other attempt follows."""
        return self.status.passed or self.status is Status.SKIP

    @property
    def event_fields(self) -> dict[str, object]:
        """The fields of `CheckFinished` that are known from the outcome alone."""
        return {
            "status": self.status,
            "reason": self.reason,
            "findings": self.findings,
            "facts": self.facts,
            "elapsed_ms": self.elapsed_ms,
            "exchanges": self.exchanges,
            "vantage": self.vantage,
        }
