"""A request, or a command, that was sent many times: as evidence of a failure, one exchange with the counts of all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from xnai_validate.model.results.exchange import RECORDER, Exchange, Recording


@dataclass(frozen=True, slots=True)
class Repeated:
    """What was sent many times, and how it was answered."""

    single: Recording
    """One of the exchanges, which shows what was sent."""
    count: int
    """How often it was sent."""
    answers: Mapping[str, int]
    """Status of whole answers -> how many had it."""
    failure: str | None
    """Why others had no whole answer; None if all had one."""
    elapsed_ms: float
    """How long all of them took together."""

    def exchange(self) -> Exchange:
        """Return the exchange; its response counts the answers by status, those with the highest status first."""
        answers = sorted(self.answers.items(), reverse=True)
        return replace(
            self.single.exchange(),
            response=", ".join(f"{status} ({count} of {self.count})" for status, count in answers) or None,
            elapsed_ms=round(self.elapsed_ms, 1),
            stages={},
            failure=self.failure,
            load_count=self.count,
        )


def record_repeated(repeated: Repeated) -> None:
    """Keep the exchange for the report, in case that the check fails."""
    RECORDER.get().append(repeated)
