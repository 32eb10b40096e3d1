"""One share of a load on a worker, from its order to its figures."""

from __future__ import annotations

import asyncio
from dataclasses import asdict
from time import perf_counter
from typing import Literal

from xnai_validate import registry
from xnai_validate.checkers.load._generator.drive import Drive
from xnai_validate.checkers.load._generator.parts import part_of
from xnai_validate.checkers.load._generator.runner import RUNNER, Load
from xnai_validate.checkers.load._generator.share import Share
from xnai_validate.kit import JsonObject, Unmeasurable
from xnai_validate.workers.order_thread import OrderThread
from xnai_validate.workers.orders import Order, target_of
from xnai_validate.workers.worker_context import WorkerContext

State = Literal["preparing", "ready", "running", "done", "failed"]
START_BOUND_S = 0.25
"""How much later than agreed a share may begin."""


class ShareRun(OrderThread):
    """Sends a share; other threads call the methods without underscore."""

    noun = "load"

    def __init__(self, order: Order) -> None:
        super().__init__(order.lease_s)
        self.share = Share(order.index, order.of)
        self._state: State = "preparing"
        self._order = order
        self._ctx = WorkerContext(target_of(order.target))
        self._begun_at: float | None = None
        self._news: JsonObject = {}
        self._drive: Drive | None = None
        self._why_end: str | None = None
        self._start: asyncio.Future[float] | None = None
        self.begin()

    @property
    def run_id(self) -> str:
        """The run that it is of."""
        return self._order.run

    def poll(self) -> JsonObject:
        """Return the state, the latest counts, and figures if it has ended; renews the lease."""
        self.renew()
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

    # In the thread.

    def _fail(self, kind: str, message: str, hint: str | None = None) -> None:
        """Keep an error as the answer, in the form that `poll` returns."""
        super()._fail(kind, message, hint)
        self._state = "failed"

    async def _work(self) -> None:
        """Measure as the order describes, with this share as the runner of the load."""
        self._start = asyncio.get_running_loop().create_future()
        RUNNER.set(self)
        checker = registry.CHECKERS.get(self._order.kind)
        params = checker.params.model_validate(self._order.params)
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

    def _obey(self) -> None:
        """Do what other threads have asked for, and keep the latest counts for them."""
        super()._obey()
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
