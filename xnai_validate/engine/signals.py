"""Signals that stop a run: the first one reverts, reports and ends it, a second one cuts the grace periods short."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from types import FrameType

from xnai_validate.engine.engine import Engine

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
Handler = Callable[[int, FrameType | None], object] | int | None


@asynccontextmanager
async def signals(engine: Engine) -> AsyncIterator[None]:
    """Let signals stop `engine` within this context; the previous handlers are restored afterwards.

    A signal that is ignored (as `nohup` sets for SIGHUP) stays ignored.
    """
    loop = asyncio.get_running_loop()

    def handle(number: int, frame: FrameType | None) -> None:
        """Let the loop stop the run."""
        loop.call_soon_threadsafe(_stop_or_hurry, engine)

    before: dict[signal.Signals, Handler] = {}
    for number in SIGNALS:
        if signal.getsignal(number) is not signal.SIG_IGN:
            # Not add_signal_handler of asyncio: its removal restores the default action, by which a signal that comes
            # just then would end the process without a report.
            before[number] = signal.signal(number, handle)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, signal.SIG_DFL if handler is None else handler)


def _stop_or_hurry(engine: Engine) -> None:
    """Stop the run at the first signal; cut its grace periods short at the next."""
    if engine.ending:
        engine.cut_grace_short()
    else:
        engine.stop("interrupted")
