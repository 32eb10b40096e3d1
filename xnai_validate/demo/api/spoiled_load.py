"""What goes wrong with a stack only when many ask at once, or for long: around the application, in each worker."""

from __future__ import annotations

import asyncio
import fcntl
import time
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from xnai_validate.demo.settings import Settings

_OFTEN = 8
"""Requests in a second, to one worker, after which it stands still."""
_STALL_S = 5.0
_MANY = 8
"""Requests at once, in one worker, from which it is under load."""
_BURNED_S = 0.2
_LEAK_BYTES = 3 << 20
_LEAKED_MOST = 200
_LEAK_EVERY_S = 0.02
"""So that a quick machine does not leak in no time all that it may."""
_CONVOY_S = 0.25
_WORSE_S = 0.25
_ADMITTED = 10


def spoil_load(settings: Settings, app: ASGIApp) -> ASGIApp:
    """The application as it is, or within the defects of this stack that show under load."""
    broken = settings.broken
    wrapped = app
    if broken("health-waits-for-queries"):
        wrapped = _HealthLast(wrapped, settings.run_dir / "health.lock")
    if broken("query-one-at-a-time"):
        wrapped = _OneByOne(wrapped, settings.run_dir / "one-by-one.lock")
    if broken("load-lock-convoy"):
        wrapped = _Convoy(wrapped)
    if broken("load-stalls"):
        wrapped = _Stalling(wrapped)
    if broken("load-collapses"):
        wrapped = _Collapsing(wrapped)
    if broken("load-leaks-memory"):
        wrapped = _Leaking(wrapped)
    if broken("load-wears-out"):
        wrapped = _WearingOut(wrapped)
    if broken("load-turns-away"):
        wrapped = _TurningAway(wrapped)
    return wrapped


class _Counting:
    """Knows how many requests are under way in this worker."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self.under_way = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"].endswith("/metrics"):
            await self._app(scope, receive, send)
            return
        self.under_way += 1
        try:
            await self.serve(scope, receive, send)
        finally:
            self.under_way -= 1

    async def serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle a request with the defect."""
        await self._app(scope, receive, send)


class _Locking(_Counting):
    """Has a lock that all workers share."""

    def __init__(self, app: ASGIApp, lock: Path) -> None:
        super().__init__(app)
        self._lock = lock

    @asynccontextmanager
    async def held(self, kind: int) -> AsyncIterator[None]:
        """Hold the lock, alone (`LOCK_EX`) or with others of its kind (`LOCK_SH`)."""
        with self._lock.open("w") as file:
            while True:
                try:
                    fcntl.flock(file, kind | fcntl.LOCK_NB)
                    break
                except BlockingIOError:
                    await asyncio.sleep(0.005)
            yield


class _HealthLast(_Locking):
    """Health is answered when no question is being answered."""

    async def serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"].endswith("/health"):
            async with self.held(fcntl.LOCK_EX):
                await self._app(scope, receive, send)
        elif scope["path"].endswith("/query"):
            async with self.held(fcntl.LOCK_SH):
                await self._app(scope, receive, send)
        else:
            await self._app(scope, receive, send)


class _OneByOne(_Locking):
    """Questions wait for one lock."""

    async def serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        if not scope["path"].endswith("/query"):
            await self._app(scope, receive, send)
            return
        async with self.held(fcntl.LOCK_EX):
            await self._app(scope, receive, send)


class _Convoy(_Counting):
    """Every request takes a lock for a moment that nobody notices alone; many form a queue."""

    def __init__(self, app: ASGIApp) -> None:
        super().__init__(app)
        self._lock = asyncio.Lock()

    async def serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        async with self._lock:
            await asyncio.sleep(_CONVOY_S)
        await self._app(scope, receive, send)


class _Stalling(_Counting):
    """A worker that is asked often stands still again and again, as in a collection of garbage that takes seconds."""

    def __init__(self, app: ASGIApp) -> None:
        super().__init__(app)
        self._asked: deque[float] = deque(maxlen=_OFTEN)

    async def serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._asked.append(time.monotonic())
        if len(self._asked) == _OFTEN and self._asked[-1] - self._asked[0] < 1.0:
            time.sleep(_STALL_S)  # noqa: ASYNC251 - that is the defect: everybody waits
            self._asked.clear()
        await self._app(scope, receive, send)


class _Collapsing(_Counting):
    """From so many requests on, each costs far more work than before."""

    async def serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self.under_way > _MANY:
            time.sleep(_BURNED_S)  # noqa: ASYNC251 - that is the defect: work that keeps the others waiting
        await self._app(scope, receive, send)


class _Leaking(_Counting):
    """What is made for a request while others are under way is never given back."""

    def __init__(self, app: ASGIApp) -> None:
        super().__init__(app)
        self._leaked: list[bytearray] = []
        self._due = 0.0

    async def serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        now = time.monotonic()
        if self.under_way > 1 and now >= self._due and len(self._leaked) < _LEAKED_MOST:
            self._leaked.append(bytearray(b"x") * _LEAK_BYTES)
            self._due = now + _LEAK_EVERY_S
        await self._app(scope, receive, send)


class _WearingOut(_Counting):
    """Every question makes those after it slower."""

    def __init__(self, app: ASGIApp) -> None:
        super().__init__(app)
        self._asked = 0

    async def serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"].endswith("/query"):
            self._asked += 1
            await asyncio.sleep(min(8.0, self._asked * _WORSE_S))
        await self._app(scope, receive, send)


class _TurningAway(_Counting):
    """Callers beyond a few are turned away."""

    async def serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self.under_way > _ADMITTED:
            await JSONResponse({"detail": "Too busy"}, status_code=503)(scope, receive, send)
            return
        await self._app(scope, receive, send)
