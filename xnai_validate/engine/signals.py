"""Ctrl-C and its like: the first ends the run in good order, a second one only shortens the waiting."""

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
    """Let signals stop `engine` while the context lasts; afterwards the handlers are those of before.

    A signal that the caller has set to be ignored (as `nohup` does with SIGHUP) stays ignored.
    """
    loop = asyncio.get_running_loop()
    before: dict[signal.Signals, Handler] = {}
    for number in SIGNALS:
        handler = signal.getsignal(number)
        if handler is signal.SIG_IGN:
            continue
        loop.add_signal_handler(number, _received, engine)
        before[number] = handler
    try:
        yield
    finally:
        for number, handler in before.items():
            loop.remove_signal_handler(number)
            signal.signal(number, signal.SIG_DFL if handler is None else handler)


def _received(engine: Engine) -> None:
    if engine.ending:
        engine.hurry()
    else:
        engine.stop("interrupted")
