"""Applications that break down under load: wrapped around the whole application, in each worker."""

from __future__ import annotations

import asyncio
import fcntl
import time
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from xnai_validate.demo.api.app import entry
from xnai_validate.demo.defects.defect import Defect
from xnai_validate.demo.settings import Settings

_OFTEN = 8
"""Requests in a second, to one worker, after which it stands still."""
_STALL_S = 5.0
_MANY = 8
"""Requests at once, in one worker, from which it is under load."""
_BURNED_S = 0.2
_LEAK_BYTES_PER_S = 192 << 20
"""By time, not by requests: a busy machine answers a few in a short load, a quick one hundreds."""
_LEAK_PAUSE_S = 0.3
"""The longest time between two requests that counts."""
_LEAKED_MOST_BYTES = 1 << 30
"""Far more than one check can use up, however long a busy machine makes its load."""
_CONVOY_S = 0.25
_WORSE_S = 0.25
_ADMITTED = 10
_GOES_ON_S = 4.0


class _Counting:
    """Knows how many requests are under way in this worker."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app, self._settings = app, settings
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

    @asynccontextmanager
    async def held(self, name: str, kind: int) -> AsyncIterator[None]:
        """Hold a lock that all workers share, alone (`LOCK_EX`) or with others of its kind (`LOCK_SH`)."""
        with (self._settings.run_dir / name).open("w") as file:
            while True:
                try:
                    fcntl.flock(file, kind | fcntl.LOCK_NB)
                    break
                except BlockingIOError:
                    await asyncio.sleep(0.005)
            yield


def _wrap_application(defect: Defect, wrap: Callable[[ASGIApp, Settings], ASGIApp]) -> Defect:
    """Let a defect wrap the application of each worker."""

    @defect.wraps(entry)
    def wrapped(original: Callable[[Settings, ASGIApp], ASGIApp], /, settings: Settings, app: ASGIApp) -> ASGIApp:
        return wrap(original(settings, app), settings)

    return defect


class _HealthLast(_Counting):
    """Answers health when no question is being answered."""

    async def serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"].endswith("/health"):
            async with self.held("health.lock", fcntl.LOCK_EX):
                await self._app(scope, receive, send)
        elif scope["path"].endswith("/query"):
            async with self.held("health.lock", fcntl.LOCK_SH):
                await self._app(scope, receive, send)
        else:
            await self._app(scope, receive, send)


HEALTH_WAITS = _wrap_application(
    Defect(
        "health-waits-for-queries",
        "Health is answered when no query is under way.",
        checks=(
            "performance/latency:health-beside-queries",
            "dependencies/cascade:model",
            "health/truth:answers-while-busy",
        ),
    ),
    _HealthLast,
)


class _OneByOne(_Counting):
    """Answers questions one after another, under one lock."""

    async def serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        if not scope["path"].endswith("/query"):
            await self._app(scope, receive, send)
            return
        async with self.held("one-by-one.lock", fcntl.LOCK_EX):
            await self._app(scope, receive, send)


class _HeldByTheLeft(_Counting):
    """Answers one question at a time, and goes on with a stream whose client has left."""

    async def serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer questions one at a time; one whose client has left is worked on for a while."""
        if not scope["path"].endswith(("/query", "/stream")):
            await self._app(scope, receive, send)
            return
        ended = False

        async def sent(message: Message) -> None:
            nonlocal ended
            ended = message["type"] == "http.response.body" and not message.get("more_body", False)
            await send(message)

        async with self.held("model.lock", fcntl.LOCK_EX):
            await self._app(scope, receive, sent)
            if not ended:
                await asyncio.sleep(_GOES_ON_S)


HELD_BY_THE_LEFT = _wrap_application(
    Defect(
        "stream-holds-model",
        "The model goes on with a stream that was left, and the next question waits for it.",
        checks=("streaming/cleanup:next-question",),
    ),
    _HeldByTheLeft,
)


ONE_AT_A_TIME = _wrap_application(
    Defect(
        "query-one-at-a-time",
        "Queries wait for one lock, whichever worker has them.",
        checks=("performance/load:side-by-side", "dependencies/cascade:slow-caller"),
    ),
    _OneByOne,
)


class _Convoy(_Counting):
    """Takes a lock for each request, for a moment that does not show alone; many requests form a queue."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        super().__init__(app, settings)
        self._lock = asyncio.Lock()

    async def serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        async with self._lock:
            await asyncio.sleep(_CONVOY_S)
        await self._app(scope, receive, send)


CONVOY = _wrap_application(
    Defect(
        "load-lock-convoy",
        "Every request holds a lock for a quarter of a second, and many form a queue.",
        checks=("performance/load:steps", "performance/load:throughput"),
    ),
    _Convoy,
)


class _Stalling(_Counting):
    """Stands still again and again when it is asked often, as in a garbage collection that takes seconds."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        super().__init__(app, settings)
        self._times: deque[float] = deque(maxlen=_OFTEN)

    async def serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._times.append(time.monotonic())
        if len(self._times) == _OFTEN and self._times[-1] - self._times[0] < 1.0:
            time.sleep(_STALL_S)  # noqa: ASYNC251 - that is the defect: every request waits
            self._times.clear()
        await self._app(scope, receive, send)


STALLS = _wrap_application(
    Defect(
        "load-stalls",
        "A worker that is asked often stands still for seconds, again and again.",
        checks=("performance/latency:api", "performance/latency:health"),
    ),
    _Stalling,
)


class _Collapsing(_Counting):
    """Does far more work for each request once there are many."""

    async def serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self.under_way > _MANY:
            time.sleep(_BURNED_S)  # noqa: ASYNC251 - that is the defect: work that keeps the others waiting
        await self._app(scope, receive, send)


COLLAPSES = _wrap_application(
    Defect(
        "load-collapses",
        "From eight requests at once on, each costs 200 ms of processor.",
        checks=("performance/load:hundred-callers",),
    ),
    _Collapsing,
)


class _Leaking(_Counting):
    """Keeps memory for ever while requests are under way at the same time, as much in each second of it."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        super().__init__(app, settings)
        self._leaked: list[bytearray] = []
        self._leaked_bytes = 0
        self._before_s: float | None = None

    async def serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self.under_way > 1 and self._leaked_bytes < _LEAKED_MOST_BYTES:
            now_s = time.monotonic()
            pause_s = now_s - (self._before_s or now_s)
            size = int(min(pause_s, _LEAK_PAUSE_S) * _LEAK_BYTES_PER_S)
            self._leaked.append(bytearray(b"x") * size)
            self._leaked_bytes += size
            self._before_s = now_s
        await self._app(scope, receive, send)


LEAKS_MEMORY = _wrap_application(
    Defect(
        "load-leaks-memory",
        "Requests at the same time keep megabytes for ever.",
        checks=("performance/load:memory",),
    ),
    _Leaking,
)


class _WearingOut(_Counting):
    """Answers each question later than the one before."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        super().__init__(app, settings)
        self._questions = 0

    async def serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"].endswith("/query"):
            self._questions += 1
            await asyncio.sleep(min(8.0, self._questions * _WORSE_S))
        await self._app(scope, receive, send)


WEARS_OUT = _wrap_application(
    Defect("load-wears-out", "Every query makes those after it slower.", checks=("performance/latency:steady",)),
    _WearingOut,
)


class _TurningAway(_Counting):
    """Refuses requests beyond a few."""

    async def serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self.under_way > _ADMITTED:
            await JSONResponse({"detail": "Too busy"}, status_code=503)(scope, receive, send)
            return
        await self._app(scope, receive, send)


TURNS_AWAY = _wrap_application(
    Defect(
        "load-turns-away",
        "Requests beyond ten in a worker are refused.",
        checks=("performance/load:hundred-callers",),
    ),
    _TurningAway,
)
