"""Signals that stop a run: the first one ends it in good order, a second one only cuts the grace periods short."""

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
    before: dict[signal.Signals, Handler] = {}
    for number in SIGNALS:
        handler = signal.getsignal(number)
        if handler is signal.SIG_IGN:
            continue
        loop.add_signal_handler(number, _stop_or_hurry, engine)
        before[number] = handler
    try:
        yield
    finally:
        # asyncio restores the default action first, which would end the process: such a signal waits for our handler.
        mask = signal.pthread_sigmask(signal.SIG_BLOCK, before)
        for number, handler in before.items():
            loop.remove_signal_handler(number)
            signal.signal(number, signal.SIG_DFL if handler is None else handler)
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)


def _stop_or_hurry(engine: Engine) -> None:
    """Stop the run at the first signal; cut its grace periods short at the next."""
    if engine.ending:
        engine.cut_grace_short()
    else:
        engine.stop("interrupted")
