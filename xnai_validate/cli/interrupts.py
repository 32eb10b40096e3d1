"""Signals that end a command: they interrupt it, except while its results are written."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
AGAIN_S = 0.01
"""How long after an interrupt that was lost it is raised again."""


class Interrupts:
    """A signal handler that raises KeyboardInterrupt, unless `ignored` is set: then a second Ctrl-C costs no report."""

    def __init__(self) -> None:
        self.ignored = False
        self.pending = False
        """Whether a signal came while signals were ignored."""

    def __call__(self, number: int, frame: FrameType | None) -> None:
        """Handle a signal."""
        if not self.ignored:
            raise KeyboardInterrupt
        self.pending = True


def _interrupt_main_thread() -> None:
    """Send SIGINT to the main thread, which runs the handler; sent to this thread, it would not end a sleep there."""
    signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)


@contextmanager
def interrupts() -> Iterator[Interrupts]:
    """Let the signals of `ENDING` interrupt the block; a signal that is ignored, as under `nohup`, stays ignored."""
    handler = Interrupts()
    before = {number: signal.getsignal(number) for number in ENDING if signal.getsignal(number) is not signal.SIG_IGN}
    for number in before:
        signal.signal(number, handler)
    report_before = sys.unraisablehook

    def report(lost: sys.UnraisableHookArgs) -> None:
        """Raise an interrupt again that came in a callback of the interpreter, which drops exceptions."""
        if lost.exc_type is KeyboardInterrupt:
            threading.Timer(AGAIN_S, _interrupt_main_thread).start()
        else:
            report_before(lost)

    sys.unraisablehook = report
    try:
        yield handler
    finally:
        sys.unraisablehook = report_before
        for number, previous in before.items():
            signal.signal(number, signal.SIG_DFL if previous is None else previous)
