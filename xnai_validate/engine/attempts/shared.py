"""Resources that live as long as a run: opened once, at their first use, and closed in reverse order."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Hashable, Mapping
from contextlib import AbstractAsyncContextManager
from typing import TypeVar, cast

from xnai_validate.model.judging.findings import cut
from xnai_validate.model.text import printable

T = TypeVar("T")

CLOSE_S = 5.0
"""Seconds that one resource may take to close before it is cancelled."""
CANCELLED_S = 1.0
"""Seconds that a cancelled resource may take."""


class _Held:
    """One resource, entered and left in a task of its own, as the cancel scopes within it require."""

    def __init__(self, open_: Callable[[], AbstractAsyncContextManager[object]]) -> None:
        self.ready: asyncio.Future[object] = asyncio.get_running_loop().create_future()
        self.closing = asyncio.Event()
        self.task = asyncio.create_task(self._keep_open(open_))

    async def _keep_open(self, open_: Callable[[], AbstractAsyncContextManager[object]]) -> None:
        """Open the resource, hand it out, and keep it open until it is to be closed."""
        async with open_() as value:
            self.ready.set_result(value)
            await self.closing.wait()


class Shared:
    """The resources of a run. `warn` is called with a sentence for each that could not be closed."""

    def __init__(self, warn: Callable[[str], None], notes: Mapping[Hashable, object] | None = None) -> None:
        self._warn = warn
        self.notes: Mapping[Hashable, object] = notes or {}
        """What checkers have noted when the run began."""
        self._held: dict[Hashable, _Held] = {}
        self._opened: list[tuple[Hashable, _Held]] = []
        self._impatient = asyncio.Event()

    async def get(self, key: Hashable, open_: Callable[[], AbstractAsyncContextManager[T]]) -> T:
        """The value under `key`; the first caller opens it while others wait for it.

        Raises the exception of the opening; the next caller tries again.
        """
        held = self._held.get(key)
        if held is None:
            held = self._held[key] = _Held(open_)
            held.task.add_done_callback(lambda _: self._forget_unopened(key, held))
            held.ready.add_done_callback(lambda _: self._opened.append((key, held)))
        if not held.ready.done():
            # A cancelled caller cancels neither of them: others may wait, too.
            await asyncio.wait((held.ready, held.task), return_when=asyncio.FIRST_COMPLETED)
        if not held.ready.done():
            held.task.result()
            raise RuntimeError(f"{key!r} ended before it was open")
        return cast(T, held.ready.result())

    def _forget_unopened(self, key: Hashable, held: _Held) -> None:
        """Drop a resource that did not open, so that the next use tries again."""
        if not held.ready.done():
            self._held.pop(key, None)
            if not held.task.cancelled():
                held.task.exception()  # retrieved, in case no caller waits any more

    def cut_grace_short(self) -> None:
        """Cancel the resource that is closing instead of waiting for it."""
        self._impatient.set()

    async def close(self) -> None:
        """Close all resources, last opened first, each within its time limit."""
        unopened = [held.task for held in self._held.values() if not held.ready.done()]
        for task in unopened:
            task.cancel()
        if unopened:
            await asyncio.wait(unopened, timeout=CANCELLED_S)
        impatient = asyncio.create_task(self._impatient.wait())
        try:
            while self._opened:
                key, held = self._opened.pop()
                held.closing.set()
                await asyncio.wait((held.task, impatient), timeout=CLOSE_S, return_when=asyncio.FIRST_COMPLETED)
                await self._await_close(key, held)
        finally:
            impatient.cancel()
            await asyncio.wait((impatient,))
            self._held.clear()

    async def _await_close(self, key: Hashable, held: _Held) -> None:
        """Wait until a resource is closed; a failure or a delay becomes a warning."""
        name = printable(str(key[0] if isinstance(key, tuple) and key else key))
        if not held.task.done():
            held.task.cancel()
            await asyncio.wait((held.task,), timeout=CANCELLED_S)
            self._warn(f"what checks of {name} share did not close in time")
            return
        error = None if held.task.cancelled() else held.task.exception()
        if error is not None:
            words = cut(printable(str(error)), 300)
            self._warn(f"what checks of {name} share could not be closed: {type(error).__name__}: {words}")
