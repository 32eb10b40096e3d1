"""Events on their way from the engine to the one who reads them."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable

from xnai_validate.model.results.events import Event

BACKLOG = 1000
"""Events not yet read; with more of them no check begins."""


class Outbox:
    """An asynchronous iterator of events; ends when it is closed and read, raising what it was closed with."""

    def __init__(self, drained: Callable[[], None]) -> None:
        """`drained` is called when a full backlog has been read."""
        self._events: deque[Event] = deque()
        self._drained = drained
        self._reader: asyncio.Future[None] | None = None
        self._behind = False
        self._closed = False
        self._error: BaseException | None = None

    @property
    def full(self) -> bool:
        """Whether the reader is so far behind that nothing new should begin."""
        return len(self._events) >= BACKLOG

    def put(self, event: Event) -> None:
        """Hand over one event; never waits."""
        self._events.append(event)
        self._behind = self._behind or self.full
        self._wake()

    def close(self, error: BaseException | None = None) -> None:
        """No event follows; `error` is raised to the reader after the last one."""
        self._closed, self._error = True, error
        self._wake()

    def _wake(self) -> None:
        if self._reader is not None and not self._reader.done():
            self._reader.set_result(None)

    def __aiter__(self) -> Outbox:
        return self

    async def __anext__(self) -> Event:
        while not self._events:
            if self._closed:
                error, self._error = self._error, None
                raise error or StopAsyncIteration
            self._reader = asyncio.get_running_loop().create_future()
            await self._reader
        event = self._events.popleft()
        if self._behind and not self._events:
            self._behind = False
            self._drained()
        return event
