"""How long a breaker stayed open, and what is certain of that."""

from __future__ import annotations

from xnai_validate.checkers.breaker.calls import Call
from xnai_validate.checkers.breaker.driver import Waiting
from xnai_validate.checkers.breaker.params import BreakerParams
from xnai_validate.model.frozen import dataclass


@dataclass(frozen=True, slots=True)
class Recovery:
    """The time from the opening of a breaker to the first call that it let through; None is what is not known."""

    after_ms: float | None = None
    uncertainty_ms: float | None = None
    """How much shorter or longer it may have been."""
    early_ms: float | None = None
    """How much earlier than promised a call was let through for certain."""
    late_ms: float | None = None
    """How much later than promised calls were refused for certain."""


def recovery_of(params: BreakerParams, opened_by: Call | None, waiting: Waiting) -> Recovery:
    """The recovery time of a breaker that `opened_by` opened, as `waiting` saw it.

    The breaker opened while the failing call was under way, and let a call through while that one was: the time between
    is at least from the end of the former to when the last refused call was sent, and at most from the sending of the
    former to the answer of the first call let through.
    """
    if opened_by is None:
        return Recovery()
    refused = [call.sent_s for call in waiting.refusals]
    least = max(0.0, max(refused, default=opened_by.answered_s) - opened_by.answered_s)
    late_ms = max(0.0, least - params.recovery) * 1000
    if waiting.admitted is None:
        return Recovery(late_ms=late_ms)
    most = waiting.admitted.answered_s - opened_by.sent_s
    after = max(0.0, waiting.admitted.sent_s - opened_by.answered_s)
    return Recovery(
        after * 1000, max(most - after, after - least) * 1000, max(0.0, params.recovery - most) * 1000, late_ms
    )
