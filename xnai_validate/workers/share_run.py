"""One share of a load on a worker, from its order to its figures."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from time import perf_counter
from typing import Literal

from xnai_validate import registry
from xnai_validate.checkers.load._generator.drive import Drive
from xnai_validate.checkers.load._generator.parts import part_of
from xnai_validate.checkers.load._generator.runner import RUNNER, Load
from xnai_validate.checkers.load._generator.share import Share
from xnai_validate.engine.memory_guard import check_memory, memory_now
from xnai_validate.errors import NotApplicable, XnaiError
from xnai_validate.kit import JsonObject, Unmeasurable
from xnai_validate.plan import Limits
from xnai_validate.workers.orders import Order, target_of
from xnai_validate.workers.quick_loop import quick_loop
from xnai_validate.workers.share_context import ShareContext

State = Literal["preparing", "ready", "running", "done", "failed"]
WATCH_S = 0.1
"""How often the share looks whether it is still wanted."""
MEMORY_S = 0.5
START_BOUND_S = 0.25
"""How much later than agreed a share may begin."""


class ShareRun:
    """Sends a share in a thread and an event loop of its own; other threads call the methods without underscore."""

    def __init__(self, order: Order) -> None:
        self.share = Share(order.index, order.of)
        self.answer: JsonObject = {}
        """What is known of a share that has ended: its figures, or why it has none."""
        self._state: State = "preparing"
        self._order = order
        self._ctx = ShareContext(target_of(order.target))
        self._renewed_at = perf_counter()
        self._begun_at: float | None = None
        self._news: JsonObject = {}
        self._drive: Drive | None = None
        self._why_end: str | None = None
        self._why_stop: str | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._start: asyncio.Future[float] | None = None
        self._thread = threading.Thread(target=self._main, name="xnai-load", daemon=True)
        self._thread.start()

    @property
    def run_id(self) -> str:
        """The run that it is of."""
        return self._order.run

    @property
    def has_ended(self) -> bool:
        """Whether the load of this share has ended."""
        return not self._thread.is_alive()

    def join(self, within_s: float) -> None:
        """Wait for its end."""
        self._thread.join(within_s)

    def poll(self) -> JsonObject:
        """Return the state, the latest counts, and figures if it has ended; renews the lease."""
        self._renewed_at = perf_counter()
        state: State = self._state
        if state in ("done", "failed") and not self.has_ended:
            state = "running"  # its connections are being closed
        return {"state": state, "begun_at": self._begun_at, "news": self._news, **self.answer}

    def start(self, at: float, within_s: float) -> None:
        """Begin at an instant of this host's `perf_counter`; the load may take `within_s`."""
        self._ctx.timeout_s = within_s
        if self._loop is not None and self._start is not None:
            self._loop.call_soon_threadsafe(self._start.set_result, at)

    def end(self, why: str) -> None:
        """End the load early, with its figures."""
        self._why_end = why

    def stop(self, why: str) -> None:
        """End at once, without figures."""
        self._why_stop = why
        if self._loop is not None and not self.has_ended:
            self._loop.call_soon_threadsafe(self._watch_now)

    # In the thread.

    def _main(self) -> None:
        """Run the share in an event loop of this thread; every error becomes its answer."""
        try:
            with asyncio.Runner(loop_factory=quick_loop()) as runner:
                runner.run(self._measure())
        except asyncio.CancelledError:
            self._fail("Unmeasurable", self._why_stop or "the load was cancelled")
        except XnaiError as error:
            kind = "NotApplicable" if isinstance(error, NotApplicable) else "Unmeasurable"
            self._fail(kind, error.message, error.hint)
        except Exception as error:  # noqa: BLE001 (whatever breaks is reported as data: Dask would log its arguments)
            self._fail("Unmeasurable", f"the load broke on the worker: {type(error).__name__}: {error}"[:300])

    def _fail(self, kind: str, message: str, hint: str | None = None) -> None:
        """Keep an error as the answer, in the form that `poll` returns."""
        self.answer = {"error": kind, "message": message, "hint": hint}
        self._state = "failed"

    async def _measure(self) -> None:
        """Measure as the order describes, with this share as the runner of the load."""
        self._loop = asyncio.get_running_loop()
        self._start = self._loop.create_future()
        self._task = asyncio.current_task()
        RUNNER.set(self)
        checker = registry.CHECKERS.get(self._order.kind)
        params = checker.params.model_validate(self._order.params)
        with self._watched():
            async with self._ctx.opened() as ctx:
                await checker.measure(params, ctx)

    async def run(self, load: Load) -> None:
        """Send the share; called by the checker. Raises Unmeasurable if it cannot begin at the agreed instant."""
        drive = load.drive
        drive.share = self.share
        assert self._start is not None
        async with load.lines() as drive.open_line:
            self._state = "ready"
            at = await self._start
            await asyncio.sleep(max(0.0, at - perf_counter()))
            self._begun_at = perf_counter()
            if self._begun_at - at > START_BOUND_S:
                late_ms = (self._begun_at - at) * 1000
                raise Unmeasurable(f"it could not begin at the agreed instant: it was {late_ms:.0f} ms late")
            drive.begins_at = at
            self._drive, self._state = drive, "running"
            await drive.run()
        self.answer = {"part": part_of(drive)}
        self._state = "done"

    @contextmanager
    def _watched(self) -> Iterator[None]:
        """Watch the lease and the memory of this process inside the block."""
        task = asyncio.create_task(self._watch())
        try:
            yield
        finally:
            task.cancel()

    async def _watch(self) -> None:
        """Note why the share must end: its lease is over, or memory is short; serve what other threads ask for."""
        memory_at = perf_counter()
        while True:
            await asyncio.sleep(WATCH_S)
            now = perf_counter()
            if now - self._renewed_at > self._order.lease_s:
                self._why_stop = f"the coordinating process has not asked for {self._order.lease_s:g} s"
            if now >= memory_at:
                memory_at = now + MEMORY_S
                state = check_memory(Limits(), memory_now)
                if state.level == "stop":
                    self._why_stop = f"its memory guard ended the load: {state.text}"
            self._watch_now()

    def _watch_now(self) -> None:
        """Do what other threads have asked for, and keep the latest counts for them."""
        if self._why_stop is not None and self._task is not None:
            self._task.cancel()
        drive = self._drive
        if drive is None or self._state != "running":
            return
        if self._why_end is not None:
            drive.end(self._why_end)
        now = perf_counter()
        moment = drive.moment(now)
        phase = drive.load if now >= drive.load.begun else drive.warmup
        self._news = {
            "moment": asdict(moment),
            "ended": phase.answered_count + phase.errors,
            "errors": drive.errors_of(phase),
            "waited_s": drive.waited_s(now),
        }
