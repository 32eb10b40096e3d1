"""The run line by line, for a log: a line when a check is finished, and every notice."""

from __future__ import annotations

from xnai_validate.model.results import events as ev
from xnai_validate.model.text import printable
from xnai_validate.model.units import format_ms


class Lines:
    """Turns events into lines for people; keeps nothing but a count."""

    def __init__(self) -> None:
        self._total = 0
        self._done = 0

    def of(self, event: ev.Event) -> str | None:
        """The line of an event, without a line end, or None where it is not worth one."""
        match event:
            case ev.RunStarted():
                self._total = len(event.checks)
                return printable(f"{event.run.title}: {self._total} checks, run {event.run.id}")
            case ev.CheckFinished():
                self._done += 1
                took = f" ({format_ms(event.elapsed_ms)})" if event.attempts else ""
                why = f": {event.reason}" if event.reason else ""
                place = f"[{self._done:>{len(str(self._total))}}/{self._total}]"
                return printable(f"{place} {event.status.value:<5} {event.id}{took}{why}")
            case ev.Notice():
                return printable(f"{event.level}: {event.text}")
            case ev.FaultInjected():
                return printable(f"fault {event.fault} on {event.target or 'this host'}")
            case ev.FaultReverted() if not event.proven:
                return printable(f"fault undone, but not proven to be ({event.undo})")
            case _:
                return None
