"""Signals that end a command: they interrupt it, except while its results are written."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Interrupts:
    """A signal handler that raises KeyboardInterrupt, unless `ignored` is set: then a second Ctrl-C costs no report."""

    def __init__(self) -> None:
        self.ignored = False

    def __call__(self, number: int, frame: FrameType | None) -> None:
        """Handle a signal."""
        if not self.ignored:
            raise KeyboardInterrupt


@contextmanager
def interrupts() -> Iterator[Interrupts]:
    """Let the signals of `ENDING` interrupt the block; a signal that is ignored, as under `nohup`, stays ignored."""
    handler = Interrupts()
    before = {number: signal.getsignal(number) for number in ENDING if signal.getsignal(number) is not signal.SIG_IGN}
    for number in before:
        signal.signal(number, handler)
    try:
        yield handler
    finally:
        for number, previous in before.items():
            signal.signal(number, signal.SIG_DFL if previous is None else previous)
