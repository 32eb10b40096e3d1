"""The driver of a load: begins requests when they are due, whatever they are, and sees that they end in time."""

from __future__ import annotations

import asyncio
import math
from collections import OrderedDict
from collections.abc import Callable, Iterator
from time import perf_counter, thread_time

from xnai_validate.checkers.load._generator.arrivals import Arrivals
from xnai_validate.checkers.load._generator.line import REPORT_S, Line, allow_descriptors, allow_time
from xnai_validate.checkers.load._generator.progress import Moment, Progress
from xnai_validate.checkers.load._generator.recorder import ABANDONED, CANCELLED, Recorder
from xnai_validate.checkers.load._generator.share import Division, Share
from xnai_validate.checkers.load._generator.tally import Tally
from xnai_validate.checkers.load._generator.timer import Alarm
from xnai_validate.checkers.load._models import LoadParams
from xnai_validate.kit import Context, ErrorKind, XnaiError

BEAT_S = 0.01
"""How often time limits are looked after and our own lag is measured."""
GAP_S = 0.0001
"""How long the alarm is silent at least: to ring for every arrival of 20 000 a second would take half a processor."""
PROGRESS_S = 0.5
PAUSE_S = 0.05
"""How long a virtual user that could not connect waits before it tries again: without it, it does nothing else."""
GONE_S = 1.0


class Drive:
    """Sends requests over lines by a schedule (open) or one after the other (closed loop)."""

    tasks: asyncio.TaskGroup
    """The owner of whatever tasks the lines need; there while `run` runs."""
    open_line: Callable[[], Line]
    """Makes a line that connects when it is first sent; set before `run`."""

    def __init__(self, params: LoadParams, ctx: Context) -> None:
        self.connections = 0
        """Connections that lines have opened."""
        self.ended_because: str | None = None
        """Why the load ended before its time."""
        self.cpu_ratio = 0.0
        self.share = Share()
        """The part of the load that is sent from here."""
        self.begins_at: float | None = None
        """When to begin (`perf_counter`); at once where it is None."""
        self.division = Division()
        self.make_tally: Callable[[float, float, float], Tally] = Tally
        """What the phases are counted in, for kinds that count more."""
        self.progress_of: Callable[[Tally], int] = lambda tally: tally.answered_count
        self.progress_unit = "answers"
        """The count whose rate the progress line shows."""
        self.wrong: Callable[[str | int], bool] = lambda status: False
        """Which answers count as errors."""
        self._params = params
        self.recorder = Recorder(params.slices, params.for_s, params.record)
        self._ctx = ctx
        self._timeout_s = params.timeout
        self.has_objectives = params.objectives is not None
        self.closed_loop = params.callers is not None
        self._idle: list[Line] = []
        self._busy: OrderedDict[Line, None] = OrderedDict()
        """Lines with a request, in the order in which these were begun: the first runs out of time first."""
        self._lines = 0
        """Lines that are idle or busy."""
        self._unclosed: set[Line] = set()
        """Lines whose connection may still be there."""
        self._due = math.inf
        """When the next arrival that was not sent should be, or should have been, sent."""
        self._starved = False
        """Whether arrivals wait for a line."""
        self._rings_at = math.inf
        """What the alarm is set to; to set it is a call of the system."""

    @property
    def tally(self) -> Tally:
        """The figures of the load; those of the warm-up where it ended in that."""
        return self.load if self.ended_because is None or self.load.sent else self.warmup

    def errors_of(self, tally: Tally) -> int:
        """Requests without a whole answer, and whole answers that count as errors."""
        return tally.errors + sum(count for status, count in tally.statuses.items() if self.wrong(status))

    async def run(self) -> None:
        """Carry out the load. However it ends, every connection is closed and every task is over.

        Raises Unmeasurable where it needs more time than the check has, or more open files than the system allows, and
        any XnaiError that a line raises in a task.
        """
        allow_time(self._params.warmup + self._params.for_s, self._ctx.timeout_s)
        self._lanes = self.share.count(self._params.lanes)
        allow_descriptors(self._lanes)
        future = asyncio.get_running_loop().create_future
        self._over, self._gone = future(), future()
        self._alarm = Alarm(self._rung)
        try:
            async with asyncio.TaskGroup() as self.tasks:
                try:
                    self._begin()
                    await self._over
                finally:
                    self._alarm.close()
                    for line in list(self._unclosed):
                        line.abort()
        except ExceptionGroup as group:
            first = group.exceptions[0]
            raise first if isinstance(first, XnaiError) else group from None
        finally:
            self._over.cancel()
            if self._unclosed:  # wait, within a bound, until every socket is closed
                await asyncio.wait((self._gone,), timeout=GONE_S)

    def set_times(self, begun: float) -> None:
        """Set the times of the phases, for a load that begins then."""
        self.warmup = self.make_tally(begun, self._params.warmup, self._timeout_s)
        self.load = self.make_tally(begun + self._params.warmup, self._params.for_s, self._timeout_s)
        for tally in (self.warmup, self.load):
            tally.judge_by(self.wrong, self._params.objective_s)
        self.ends = self.load.begun + self._params.for_s

    def _begin(self) -> None:
        """Begin the phases, and send the first requests of a closed loop."""
        now = self._beat_at = self.begins_at or perf_counter()
        self._progress = Progress(now)
        self.set_times(now)
        self._until = now + self._ctx.timeout_s - REPORT_S
        self._cpu_since = (now, thread_time())
        self._phase = self.warmup if self._params.warmup else self.load
        self.recorder.begin(self.load)
        if self.closed_loop:
            # Each virtual user sends at least one request, also where this process was held up until the load is over.
            for _ in range(self._lanes):
                self._send(self._new_line(), self._phase, perf_counter())
        self._next = self._plan()
        self._due = next(self._next, math.inf)
        self._rung()

    def _plan(self) -> Iterator[float]:
        """The intended starts of all arrivals, of which `_due_phase` is the phase."""
        phases = ((self.warmup, self._params.warmup_schedule()), (self.load, self._params.schedule()))
        for tally, schedule in phases:
            self._due_phase = tally
            for after_s in self.share.part(schedule or Arrivals(())):
                yield tally.begun + after_s

    def _rung(self) -> None:
        now = perf_counter()
        if now >= self._beat_at:
            self._beat(now)
        if not self._over.done():
            self._pump()

    def _pump(self) -> None:
        """Send every arrival that is due, as far as there are lines; the others wait, and need no memory for it."""
        now = perf_counter()
        while self._due <= now:
            due, phase = self._due, self._due_phase
            if due + self._timeout_s <= now:
                phase.never_sent(due)
                if self.recorder.is_used:
                    self.recorder.not_sent(phase, due, now)
            else:
                line = self._line()
                if line is None:
                    self._starved = True
                    break
                if not self._starved:
                    phase.late(now - due)
                self._send(line, phase, due)
            self._due = next(self._next, math.inf)
            now = perf_counter()
        else:
            self._starved = False
        at = self._beat_at if self._starved else min(max(self._due, now + GAP_S), self._beat_at)
        if at != self._rings_at:
            self._rings_at = at
            self._alarm.set(at)

    def _line(self) -> Line | None:
        """A free line: the one that was used last, else a new one; None where there may be no more."""
        while self._idle:
            line = self._idle.pop()
            if not line.stale:
                return line
            self._lines -= 1
            line.abort()
        return self._new_line() if self._lines < self._lanes else None

    def _new_line(self) -> Line:
        line = self.open_line()
        self._lines += 1
        self._unclosed.add(line)
        return line

    def _send(self, line: Line, phase: Tally, intended: float) -> None:
        line.tally, line.intended = phase, intended
        self._busy[line] = None
        phase.sent += 1
        line.sent = intended if self.closed_loop else perf_counter()
        line.send()

    def _call(self) -> None:
        """A virtual user of the closed loop begins, or begins anew on another line."""
        now = perf_counter()
        if now < self.ends and not self._over.done():
            self._send(self._new_line(), self._phase_at(now), now)

    def _phase_at(self, now: float) -> Tally:
        return self.load if now >= self.load.begun else self.warmup

    def answered(self, line: Line, status: str | int, *, keep: bool = True) -> None:
        """A whole answer came; `keep`: the line can carry another request."""
        now = perf_counter()
        line.tally.answered(status, line.intended, line.sent, now)
        if self.recorder.is_used:
            self.recorder.ended(line, str(status), now, is_error=self.wrong(status))
        if keep and self.closed_loop and now < self.ends:
            # Written out, for this is the way of most requests where every microsecond counts.
            self._busy.move_to_end(line)
            line.tally = phase = self.load if now >= self.load.begun else self.warmup
            phase.sent += 1
            line.intended = line.sent = now
            line.send()
            return
        del self._busy[line]
        if not keep:
            self._replace()
            return
        self._idle.append(line)
        if self._due <= now:
            self._pump()

    def failed(self, line: Line, kind: str, detail: str, *, connecting: bool = False) -> None:
        """There was no whole answer, and the line is over; `connecting`: it never was connected."""
        del self._busy[line]
        now = perf_counter()
        line.tally.failed(kind, detail, now)
        self.recorder.ended(line, str(kind), now)
        self._replace(PAUSE_S if connecting else 0.0)

    def cancelled(self, line: Line) -> None:
        """The line has ended its request itself, as a user does who leaves; it is over."""
        del self._busy[line]
        line.tally.cancelled += 1
        line.tally.last_at = now = perf_counter()
        self.recorder.ended(line, CANCELLED, now, is_error=False)
        self._replace()

    def again(self, line: Line) -> None:
        """The line is over, and its request was not seen by the server: it is sent once more, on a new line."""
        del self._busy[line]
        self._lines -= 1
        other = self._new_line()
        line.tally.retried += 1
        line.tally.sent -= 1
        self._send(other, line.tally, line.intended)

    def lost(self, line: Line) -> None:
        """A line without a request is over: the server has closed the connection."""
        self._idle.remove(line)
        self._lines -= 1

    def opened(self) -> None:
        """A line has connected."""
        self.connections += 1

    def closed(self, line: Line) -> None:
        """Nothing is left of a line that is over."""
        self._unclosed.discard(line)
        if not self._unclosed and self._over.done() and not self._gone.done():
            self._gone.set_result(None)

    def _replace(self, pause_s: float = 0.0) -> None:
        """A line is over: its virtual user goes on with another, or its place goes to what waits."""
        self._lines -= 1
        if self.closed_loop:
            # Not at once even without a pause: the line that reported the end has not returned yet.
            asyncio.get_running_loop().call_later(pause_s, self._call)
        elif self._due <= perf_counter():
            self._rings_at = 0.0
            self._alarm.set(0.0)

    def _beat(self, now: float) -> None:
        """Do what is due at intervals: notice lateness, give up overdue requests, report progress, end the load."""
        phase = self._phase_at(now)
        if phase is not self._phase:
            self._phase, self._cpu_since = phase, (now, thread_time())
        while self._beat_at <= now:
            phase.late(now - self._beat_at)
            self._beat_at += BEAT_S
        while self._busy and (line := next(iter(self._busy))).sent + self._timeout_s <= now:
            del self._busy[line]
            line.tally.timed_out(line.intended, line.sent, now)
            self.recorder.ended(line, ErrorKind.TIMEOUT.value, now)
            line.abort()
            self._replace()
        wall, cpu = self._cpu_since
        self.cpu_ratio = (thread_time() - cpu) / (now - wall) if now > wall else 0.0
        if now - self._progress.shown_at >= PROGRESS_S:
            self._ctx.progress(self._progress.line(self.moment(now), now))
        if now >= self.ends and self._due == math.inf and not self._busy:
            if not self._over.done():
                self._over.set_result(None)
        elif (why := self._why_early(now)) is not None:
            self.end(why)

    def _why_early(self, now: float) -> str | None:
        """Return why the load must end now, before its time is over; None if it goes on."""
        phase = self._phase
        if now >= self._until:
            return f"the check may take no longer than {self._ctx.timeout_s:g} s"
        limit = self._params.stop_at
        if limit is None:
            return None
        ended, name = phase.answered_count + phase.errors, "" if phase is self.load else " of the warm-up"
        return limit.why(ended, self.errors_of(phase), self.waited_s(now), name)

    def waited_s(self, now: float) -> float:
        """How long the oldest request has waited for its whole answer, from its intended start."""
        return now - min(next(iter(self._busy)).intended if self._busy else math.inf, self._due)

    def moment(self, now: float) -> Moment:
        """What the progress line shows."""
        return Moment(
            "load" if self._phase is self.load else "warm-up",
            now - self._phase.begun,
            self._phase.for_s,
            now >= self.ends,
            self.progress_of(self.warmup) + self.progress_of(self.load),
            self.progress_unit,
            len(self._busy),
            self.errors_of(self._phase),
            self._phase.latency_text,
        )

    def end(self, why: str) -> None:
        """End the load early, while it runs; a second call does nothing."""
        if self._over.done():
            return
        now, self.ended_because = perf_counter(), why
        self._over.set_result(None)
        for line in self._busy:
            line.tally.abandoned += 1
            self.recorder.ended(line, ABANDONED, now, is_error=False)
        while self._due <= now:
            self._due_phase.not_sent += 1
            self._due = next(self._next, math.inf)
        self.ends = min(self.ends, now)
