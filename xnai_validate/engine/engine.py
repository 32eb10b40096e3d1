"""The engine: runs the checks of a plan and yields events."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

from xnai_validate.engine.attempts.attempt import attempt_here, attempts, attempts_under
from xnai_validate.engine.attempts.context import CheckContext, Scope
from xnai_validate.engine.attempts.lateness import LATENESS, Lateness
from xnai_validate.engine.attempts.outcome import WITH_EXCHANGES, Outcome
from xnai_validate.engine.attempts.sessions import Sessions
from xnai_validate.engine.attempts.shared import Shared
from xnai_validate.engine.attempts.steadiness import Steadiness
from xnai_validate.engine.attempts.vantage import attempt_from_each
from xnai_validate.engine.attempts.waiving import waived
from xnai_validate.engine.clock import SystemClock
from xnai_validate.engine.current_targets import CurrentTargets, UrlsOf, no_urls
from xnai_validate.engine.events.earlier_part import NOT_RESUMED, CarriedOver, Resumed
from xnai_validate.engine.events.emit import Emitter, Outbox
from xnai_validate.engine.events.opening import begin, notes_of, preload
from xnai_validate.engine.memory_guard import EVERY_S, PATIENCE, MemoryGuard, Sample, memory_now
from xnai_validate.engine.schedule import Blocked, Schedule
from xnai_validate.engine.state_folder import state_dir
from xnai_validate.engine.undo.faults import FaultInjector, StepListener
from xnai_validate.engine.undo.guardian import Guardian, undo_command
from xnai_validate.kit import Clock
from xnai_validate.model.json import JsonObject
from xnai_validate.model.results.comparison import Comparison
from xnai_validate.model.results.events import (
    AttemptFinished,
    BaselineCompared,
    CheckFinished,
    CheckStarted,
    Event,
    Notice,
    Progress,
    RunFinished,
    Stopped,
)
from xnai_validate.model.results.report import RunInfo, RunReport
from xnai_validate.model.results.report_builder import ReportBuilder
from xnai_validate.model.results.status import Status
from xnai_validate.model.secrets.masking import Masker
from xnai_validate.plan import Plan, PlannedCheck

CANCEL_AGAIN_S = 5.0
"""Seconds that a cancelled check has to clean up before it is cancelled again."""
PROGRESS_CAP = 200


class Engine:
    """One run of a plan."""

    def __init__(
        self,
        plan: Plan,
        *,
        clock: Clock | None = None,
        run_id: str,
        version: str,
        fail_fast: bool = False,
        fail_on: Sequence[Status] = (Status.FAIL,),
        fail_if_none: bool = False,
        host: JsonObject,
        on_progress: Callable[[Progress], None] | None = None,
        compare: Callable[[RunReport], Comparison] | None = None,
        urls_of: UrlsOf = no_urls,
        sample: Sample = memory_now,
        state: Path | None = None,
        repair: Sequence[str] | None = None,
        resumed: Resumed = NOT_RESUMED,
        on_step: StepListener = lambda step, undo: None,
    ) -> None:
        """`fail_fast` ends the run at the first check that fails, cannot be measured, or has a status of `fail_on`.

        With `fail_if_none` a run in which every check was skipped is not a pass.
        `compare` compares the measurements with a baseline, once all checks have ended; `urls_of` reads a stack file.
        `sample` returns the memory in use; `state` is the state directory, by default that of the environment.
        `repair` is the command that reverts faults if this process disappears, by default `xnai-validate undo`;
        `resumed` is what an interrupted run has measured; `on_step` is called at each moment in the life of a fault.
        """
        self.plan = plan
        self.stopped: Stopped | None = None
        """Why the run was stopped; None if it was not."""
        self.journal_path: Path | None = None
        """The path of the journal; None if it could not be written."""
        self._clock: Clock = clock or SystemClock()
        self._run = RunInfo(
            id=run_id,
            title=plan.title,
            profiles=plan.profiles,
            started_at=self._clock.time(),
            host=host,
            fail_on=tuple(fail_on),
            fail_if_none=fail_if_none,
            version=version,
            resumes=resumed.run_id,
            narrowed=plan.narrowed,
            shard=plan.shard,
        )
        self._resumed, self._on_progress = resumed, on_progress
        self._ending = frozenset({Status.FAIL, Status.ERROR, *fail_on}) if fail_fast else frozenset()
        self._state = state or state_dir()
        self._schedule = Schedule(plan.checks, plan.limits, resumed.ids)
        self._running: dict[str, asyncio.Task[None]] = {}
        self._changed = asyncio.Event()
        self._outbox = Outbox(self._changed.set)
        self._emitter = Emitter(Masker(plan.secrets), self._clock, self._outbox)
        self._emit = self._emitter.emit
        self._memory = MemoryGuard(plan.limits, sample, self._warn)
        self._guardian = Guardian(self._state, repair or undo_command(run_id))
        self._injector = FaultInjector(
            run=run_id,
            state=self._state,
            clock=self._clock,
            emit=self._emit,
            guardian=self._guardian,
            mask=self._emitter.text,
            on_step=on_step,
        )
        self._compare, self._urls_of = compare, urls_of
        self._emitter.builder = None if compare is None else ReportBuilder()
        self._open: list[Shared | Sessions] = []
        """What is closed at the end of the run, the last first."""
        self._steadiness: Steadiness | None = None
        self._broken: set[str] = set()
        self._begun = self._over = False

    @asynccontextmanager
    async def run(self) -> AsyncIterator[AsyncIterator[Event]]:
        """The events of the run, from `run-started` to `run-finished`; leaving early stops the run in good order.

        Raises RuntimeError if it is entered twice.
        """
        if self._begun:
            raise RuntimeError("an engine runs once")
        self._begun = True
        main = asyncio.create_task(self._main(), name="engine")
        try:
            yield self._outbox
        finally:
            self.stop("interrupted")
            await self._ended(main)
        main.result()

    def _warn(self, text: str) -> None:
        self._emit(Notice, level="warning", text=text)

    async def _ended(self, main: asyncio.Task[None]) -> None:
        """Wait for the end of the run; a cancellation meanwhile only cuts the grace periods short."""
        cancelled: asyncio.CancelledError | None = None
        while not main.done():
            try:
                await asyncio.wait((main,))
            except asyncio.CancelledError as error:
                cancelled = error
                self.cut_grace_short()
        if not main.cancelled():
            main.exception()  # retrieved; the caller of `run` raises it
        if cancelled is not None:
            raise cancelled

    @property
    def ending(self) -> bool:
        """Whether no check starts any more: the run was stopped, or all checks have ended."""
        return self.stopped is not None or self._over

    def stop(self, why: Stopped) -> None:
        """Start no more checks and cancel the running ones; the first reason counts. No effect after the end."""
        if self.ending:
            return
        self.stopped = why
        self._cancel()
        self._changed.set()

    def cut_grace_short(self) -> None:
        """Cut the grace periods of what is ending short; faults in force are reverted all the same."""
        self._injector.cut_grace_short()
        for resources in self._open:
            resources.cut_grace_short()
        if self.stopped is not None:
            self._cancel()

    def _cancel(self) -> None:
        for task in self._running.values():
            task.cancel()

    async def _main(self) -> None:
        """Run the whole: preload, begin the journal, run the checks, compare with a baseline, end."""
        begun = self._clock.monotonic()
        LATENESS.set(lateness := Lateness())  # for this task and those that it makes
        try:
            preload(self.plan)
            self.journal_path = begin(self._emitter, self.plan, self._run, self._state)
            self._open.append(shared := Shared(self._warn, notes_of(self.plan)))
            if isinstance(self._clock, SystemClock):
                lateness.begin()
            try:
                await self._checks(shared)
                self._over = True
            finally:
                lateness.end()
                for resources in reversed(self._open):
                    await resources.close()
                self._guardian.dismiss()
            if self._compare is not None and self._emitter.builder is not None:
                self._emit(BaselineCompared, comparison=self._compare(self._emitter.builder.build()))
            ms, left = round((self._clock.monotonic() - begun) * 1000, 1), tuple(self._injector.not_undone)
            self._emit(RunFinished, elapsed_ms=ms, stopped=self.stopped, not_undone=left)
        except BaseException as error:
            self._outbox.close(error)
            raise
        finally:
            self._emitter.close()
        self._outbox.close()

    async def _checks(self, shared: Shared) -> None:
        """Run every check whose needs pass; return when all have ended or were cancelled."""
        scope = Scope(
            CurrentTargets(self.plan.targets, self._urls_of, self._warn),
            self.plan.vars,
            self._clock,
            shared,
            self._progress,
            self._injector,
            self._memory.spare_bytes,
            self._emitter.mask,
        )
        self._open.append(sessions := Sessions(self.plan, scope, self._warn))
        scope = replace(scope, sessions=sessions.by_target)
        self._steadiness = Steadiness(self.plan.steady, scope, self._warn) if self.plan.steady else None
        for check in self.plan.checks:
            if check.skip is not None:
                self._leave_out(check, Status.SKIP, check.skip)
        for event in self._resumed.events:
            self._carry_over(event)
        async with asyncio.TaskGroup() as group:
            self._check_memory()
            watchers = [group.create_task(self._watch()), group.create_task(self._deadline())]
            while self.stopped is None and not self._schedule.done:
                self._changed.clear()
                if not self._outbox.full:
                    for check in self._schedule.admit():
                        self._running[check.id] = task = group.create_task(self._check(check, scope), name=check.id)
                        task.add_done_callback(self._left)
                await self._changed.wait()
            while self._running:
                _, still_running = await asyncio.wait(self._running.values(), timeout=CANCEL_AGAIN_S)
                for task in still_running:
                    task.cancel()
            for watcher in watchers:
                watcher.cancel()

    async def _check(self, check: PlannedCheck, scope: Scope) -> None:
        """Run one check from start to status; its faults are injected and reverted here."""
        self._emit(CheckStarted, id=check.id)

        def on_attempt(number: int, outcome: Outcome) -> None:
            if self.stopped is not None:
                raise asyncio.CancelledError  # the checker swallowed our cancellation
            held, ms = outcome.status.passed, outcome.elapsed_ms
            self._emit(AttemptFinished, id=check.id, attempt=number, held=held, reason=outcome.reason, elapsed_ms=ms)

        ctx = CheckContext(scope, check.measurement, check.id, check.timeout_s)
        steadiness = self._steadiness if check.faults else None
        if (not_begun := await steadiness.before(check) if steadiness else None) is not None:
            outcome, count = Outcome(not_begun.status, not_begun.why), 0
        elif check.under:
            outcome, count = await attempts_under(check, ctx.under_all(check.under), ctx, on_attempt)
        else:
            once = attempt_from_each if check.vantage else attempt_here
            outcome, count = await attempts(check, ctx, on_attempt, once)
        if steadiness and not_begun is None and not self._injector.not_undone:
            await steadiness.after(check, passed=outcome.status.passed)
        if outcome.status in WITH_EXCHANGES:
            outcome = await ctx.with_log(outcome)
        self._finish(check, outcome, count, not_begun.blocked_by if not_begun else None)
        if self._injector.not_undone:
            self.stop("not-undone")

    def _left(self, task: asyncio.Task[None]) -> None:
        self._running.pop(task.get_name(), None)
        self._changed.set()

    def _finish(self, check: PlannedCheck, measured: Outcome, count: int, blocked_by: str | None) -> None:
        """Emit the end of a check, and what follows from it."""
        outcome = waived(measured, check.info, self._run.fail_on, self._emit) if check.info.waiver else measured
        self._emit(CheckFinished, id=check.id, blocked_by=blocked_by, attempts=count, **outcome.event_fields)
        if outcome.broken and check.info.kind not in self._broken:
            self._broken.add(check.info.kind)
            self._emit(Notice, level="error", text=f"{outcome.reason}; this is a fault of the tool, not of the stack")
        self._follow(self._schedule.finish(check.id, outcome.status), outcome.status)

    def _leave_out(self, check: PlannedCheck, status: Status, why: str) -> None:
        """End a check that does not begin: skip what does not apply; what the host lacks is an error, not a skip."""
        self._emit(CheckFinished, id=check.id, status=status, reason=why)
        self._follow(self._schedule.leave_out(check.id))

    def _carry_over(self, event: CarriedOver) -> None:
        """Repeat an event of the interrupted run; the result of a check is one of this run."""
        self._emitter.carry_over(event)
        if isinstance(event, CheckFinished):
            self._follow(self._schedule.leave_out(event.id, event.status), event.status)

    def _follow(self, blocked: list[Blocked], status: Status | None = None) -> None:
        """Emit the checks that are blocked by one that has ended; end the run where its status does that."""
        for check, cause in blocked:
            self._emit(CheckFinished, id=check.id, status=Status.SKIP, reason=cause.sentence(), blocked_by=cause.id)
        if status in self._ending:
            self.stop("fail-fast")

    async def _deadline(self) -> None:
        await self._clock.sleep(self.plan.limits.deadline_s)
        self.stop("deadline")

    async def _watch(self) -> None:
        """Sample the memory; after PATIENCE samples in which nothing could run, skip checks that wait for memory."""
        stalled = 0
        while self.stopped is None:
            await self._clock.sleep(EVERY_S)
            self._check_memory()
            stalled = stalled + 1 if self._schedule.stalled else 0
            if stalled >= PATIENCE and self.stopped is None:
                for check in self._schedule.give_up_held():
                    self._leave_out(check, Status.ERROR, f"not judged: {self._memory.state.text}")
                self._changed.set()

    def _check_memory(self) -> None:
        if not self._memory.has_changed():
            return
        if self._memory.state.level == "stop":
            self.stop("memory")
        self._schedule.hold(self._memory.state.level != "calm")
        self._changed.set()

    def _progress(self, check_id: str, text: str) -> None:
        if self._on_progress is not None and self.stopped is None:
            self._on_progress(Progress(check_id, self._emitter.text(text)[:PROGRESS_CAP]))
