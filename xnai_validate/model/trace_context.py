"""The trace context of a check: what its requests carry, so that the stack's own traces join that of the run.

Source: W3C Trace Context, the header `traceparent`.
"""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar

TRACEPARENTS: ContextVar[Callable[[str], str] | None] = ContextVar("TRACEPARENTS", default=None)
"""Returns the value of `traceparent` for the requests of a check, by its id; None in a run without a trace."""
TRACEPARENT: ContextVar[str | None] = ContextVar("TRACEPARENT", default=None)
"""The value of `traceparent` for the requests of the current task; None without a trace."""


def enter_check(check_id: str) -> None:
    """Let the requests of the current task, and of tasks that it creates, carry the trace context of a check."""
    traceparents = TRACEPARENTS.get()
    if traceparents is not None:
        TRACEPARENT.set(traceparents(check_id))
