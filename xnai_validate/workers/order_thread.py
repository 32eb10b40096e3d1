"""What was ordered, in a thread and an event loop of its own: watched, and ended as soon as it is not wanted."""

from __future__ import annotations

import asyncio
import threading
from contextlib import suppress
from time import perf_counter

from xnai_validate.engine.memory_guard import check_memory, memory_now
from xnai_validate.errors import NotApplicable, XnaiError
from xnai_validate.kit import JsonObject
from xnai_validate.plan import Limits
from xnai_validate.workers.quick_loop import quick_loop
from xnai_validate.workers.unlogged import log_nothing

WATCH_S = 0.1
"""How often the thread looks whether its work is still wanted."""
MEMORY_S = 0.5


class OrderThread:
    """Base of what a worker does by order; other threads call the methods without underscore."""

    noun = "measurement"
    """What it does, for error messages."""

    def __init__(self, lease_s: float) -> None:
        """`lease_s`: seconds after which it ends itself if the coordinating process has not asked for it."""
        self.answer: JsonObject = {}
        """What is known once it has ended: its result, or why it has none."""
        self._lease_s = lease_s
        self._renewed_at = perf_counter()
        self._why_stop: str | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._task: asyncio.Task[None] | None = None
        self._thread = threading.Thread(target=self._main, name=f"xnai-{self.noun}", daemon=True)

    @property
    def has_ended(self) -> bool:
        """Whether everything of it is over."""
        return not self._thread.is_alive()

    def begin(self) -> None:
        """Start the thread."""
        self._thread.start()

    def join(self, within_s: float) -> None:
        """Wait for its end."""
        self._thread.join(within_s)

    def renew(self) -> None:
        """Note that the coordinating process has asked for it."""
        self._renewed_at = perf_counter()

    def stop(self, why: str) -> None:
        """End at once, without a result."""
        self._why_stop = why
        if self._loop is not None and not self.has_ended:
            with suppress(RuntimeError):  # its loop is closed already
                self._loop.call_soon_threadsafe(self._obey)

    # In the thread.

    async def _work(self) -> None:
        """Do what was ordered, and set `answer`. Raises XnaiError where that cannot be."""
        raise NotImplementedError

    def _obey(self) -> None:
        """Do what other threads have asked for."""
        if self._why_stop is not None and self._task is not None:
            self._task.cancel()

    def _fail(self, kind: str, message: str, hint: str | None = None) -> None:
        """Set the answer of work that has no result."""
        self.answer = {"error": kind, "message": message, "hint": hint}

    def _main(self) -> None:
        """Work in an event loop of this thread; every error becomes the answer, and none is logged."""
        log_nothing()
        try:
            with asyncio.Runner(loop_factory=quick_loop()) as runner:
                runner.run(self._work_watched())
        except asyncio.CancelledError:
            self._fail("Unmeasurable", self._why_stop or f"the {self.noun} was cancelled")
        except XnaiError as error:
            kind = "NotApplicable" if isinstance(error, NotApplicable) else "Unmeasurable"
            self._fail(kind, error.message, error.hint)
        except Exception as error:  # noqa: BLE001 (whatever breaks is reported as data: Dask would log its arguments)
            self._fail("Unmeasurable", f"the {self.noun} broke on the worker: {type(error).__name__}: {error}"[:300])

    async def _work_watched(self) -> None:
        """Do the work, and watch meanwhile whether it is still wanted."""
        self._loop = asyncio.get_running_loop()
        # The default one logs errors of forgotten tasks, in whichever thread clears them up.
        self._loop.set_exception_handler(lambda loop, context: None)
        self._task = asyncio.current_task()
        watcher = asyncio.create_task(self._watch())
        try:
            await self._work()
        finally:
            watcher.cancel()

    async def _watch(self) -> None:
        """Note why the work must end: its lease is over, or memory is short; do what other threads ask for."""
        memory_at = perf_counter()
        while True:
            await asyncio.sleep(WATCH_S)
            now = perf_counter()
            if now - self._renewed_at > self._lease_s:
                self._why_stop = f"the coordinating process has not asked for {self._lease_s:g} s"
            if now >= memory_at:
                memory_at = now + MEMORY_S
                state = check_memory(Limits(), memory_now)
                if state.level == "stop":
                    self._why_stop = f"its memory guard ended the {self.noun}: {state.text}"
            self._obey()
