"""The run line by line, for a log: a line for each finished check, each notice and each fault."""

from __future__ import annotations

from xnai_validate.model.results import events as ev
from xnai_validate.model.text import printable
from xnai_validate.model.units import format_ms


class LogLines:
    """Makes the lines of one run, in the order of its events."""

    def __init__(self) -> None:
        self._total = 0
        self._done = 0

    def line_of(self, event: ev.Event) -> str | None:
        """Return the line of an event, without a line end; None for an event that is not logged."""
        match event:
            case ev.RunStarted():
                self._total = len(event.checks)
                return printable(f"{event.run.title}: {self._total} checks, run {event.run.id}")
            case ev.CheckFinished():
                self._done += 1
                duration = f" ({format_ms(event.elapsed_ms)})" if event.attempts else ""
                reason = f": {event.reason}" if event.reason else ""
                number = f"[{self._done:>{len(str(self._total))}}/{self._total}]"
                return printable(f"{number} {event.status.value:<5} {event.id}{duration}{reason}")
            case ev.Notice():
                return printable(f"{event.level}: {event.text}")
            case ev.FaultInjected():
                return printable(f"fault {event.fault} on {event.target or 'this host'}")
            case ev.FaultReverted() if not event.proven:
                return printable(f"fault reverted, not verified ({event.undo})")
            case _:
                return None
