"""What lives as long as a run: opened once, at first use, and closed in the reverse order."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Hashable
from contextlib import AbstractAsyncContextManager
from typing import TypeVar, cast

from xnai_validate.model.judging.finding_text import cut
from xnai_validate.model.text import printable

T = TypeVar("T")

CLOSE_S = 5.0
"""How long one resource may take to close before it is cancelled."""
CANCELLED_S = 1.0
"""How long a cancelled one may take."""


class _Held:
    """One resource, entered and left in one task of its own, as cancel scopes within it want."""

    def __init__(self, open_: Callable[[], AbstractAsyncContextManager[object]]) -> None:
        self.ready: asyncio.Future[object] = asyncio.get_running_loop().create_future()
        self.closing = asyncio.Event()
        self.task = asyncio.create_task(self._hold(open_))

    async def _hold(self, open_: Callable[[], AbstractAsyncContextManager[object]]) -> None:
        async with open_() as value:
            self.ready.set_result(value)
            await self.closing.wait()


class Shared:
    """The resources of a run. `tell` is given a sentence for each that could not be closed."""

    def __init__(self, tell: Callable[[str], None]) -> None:
        self._tell = tell
        self._held: dict[Hashable, _Held] = {}
        self._opened: list[tuple[Hashable, _Held]] = []
        self._hurried = asyncio.Event()

    async def get(self, key: Hashable, open_: Callable[[], AbstractAsyncContextManager[T]]) -> T:
        """The value under `key`; opened by the first who asks, while others wait for the same.

        Raises what the opening raised; the next who asks tries again.
        """
        held = self._held.get(key)
        if held is None:
            held = self._held[key] = _Held(open_)
            held.task.add_done_callback(lambda _: self._forget(key, held))
            held.ready.add_done_callback(lambda _: self._opened.append((key, held)))
        if not held.ready.done():
            # Neither is cancelled when the one who waits is: others may wait too.
            await asyncio.wait((held.ready, held.task), return_when=asyncio.FIRST_COMPLETED)
        if not held.ready.done():
            held.task.result()
            raise RuntimeError(f"{key!r} ended before it was open")
        return cast(T, held.ready.result())

    def _forget(self, key: Hashable, held: _Held) -> None:
        if not held.ready.done():
            self._held.pop(key, None)
            if not held.task.cancelled():
                held.task.exception()  # seen by those who wait, if any still does

    def hurry(self) -> None:
        """Wait no longer for what is closing: cancel it."""
        self._hurried.set()

    async def close(self) -> None:
        """Close everything, last opened first, each within its time, whatever the others do."""
        unopened = [held.task for held in self._held.values() if not held.ready.done()]
        for task in unopened:
            task.cancel()
        if unopened:
            await asyncio.wait(unopened, timeout=CANCELLED_S)
        hurried = asyncio.create_task(self._hurried.wait())
        try:
            while self._opened:
                key, held = self._opened.pop()
                held.closing.set()
                await asyncio.wait((held.task, hurried), timeout=CLOSE_S, return_when=asyncio.FIRST_COMPLETED)
                await self._closed(key, held)
        finally:
            hurried.cancel()
            await asyncio.wait((hurried,))
            self._held.clear()

    async def _closed(self, key: Hashable, held: _Held) -> None:
        name = printable(str(key[0] if isinstance(key, tuple) and key else key))
        if not held.task.done():
            held.task.cancel()
            await asyncio.wait((held.task,), timeout=CANCELLED_S)
            self._tell(f"what checks of {name} share did not close in time")
            return
        error = None if held.task.cancelled() else held.task.exception()
        if error is not None:
            words = cut(printable(str(error)), 300)
            self._tell(f"what checks of {name} share could not be closed: {type(error).__name__}: {words}")
