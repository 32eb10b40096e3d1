"""How long a breaker stayed open, and how certain that is."""

from __future__ import annotations

from dataclasses import dataclass

from xnai_validate.checkers.breaker._driver.phases import Waiting
from xnai_validate.checkers.breaker._models import BreakerParams


@dataclass(frozen=True, slots=True)
class Recovery:
    """The time from the opening of a breaker to the first call that it let through; None for what is not known."""

    after_ms: float | None = None
    uncertainty_ms: float | None = None
    """How much shorter or longer it may have been."""
    early_ms: float | None = None
    """How much earlier than promised a call was certainly let through."""
    late_ms: float | None = None
    """How much later than promised calls were certainly refused."""


def recovery_of(params: BreakerParams, opened: tuple[float, float] | None, waiting: Waiting) -> Recovery:
    """The recovery time of a breaker that opened between two times.

    It let a call through during that call: so the time is at least from the end of its opening to when the last
    refused call was sent, and at most from the beginning of its opening to the answer of the first call let through.
    """
    if opened is None:
        return Recovery()
    began_s, ended_s = opened
    refused = [call.sent_s for call in waiting.refusals]
    least = max(0.0, max(refused, default=ended_s) - ended_s)
    late_ms = max(0.0, least - params.recovery) * 1000
    if waiting.admitted is None:
        return Recovery(late_ms=late_ms)
    most = waiting.admitted.answered_s - began_s
    after = max(0.0, waiting.admitted.sent_s - ended_s)
    return Recovery(
        after * 1000, max(most - after, after - least) * 1000, max(0.0, params.recovery - most) * 1000, late_ms
    )
