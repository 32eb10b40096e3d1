"""Signals that end a command: they interrupt it, except while what it found is written down."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Interrupts:
    """Raises KeyboardInterrupt for each signal; while it is `deaf`, a second Ctrl-C cannot cost the report."""

    def __init__(self) -> None:
        self.deaf = False

    def __call__(self, number: int, frame: FrameType | None) -> None:
        """What happens when a signal comes."""
        if not self.deaf:
            raise KeyboardInterrupt


@contextmanager
def interrupts() -> Iterator[Interrupts]:
    """Let all of `ENDING` interrupt while the context lasts; one that is ignored, as by `nohup`, stays ignored."""
    handler = Interrupts()
    before = {one: signal.getsignal(one) for one in ENDING if signal.getsignal(one) is not signal.SIG_IGN}
    for one in before:
        signal.signal(one, handler)
    try:
        yield handler
    finally:
        for one, was in before.items():
            signal.signal(one, signal.SIG_DFL if was is None else was)
