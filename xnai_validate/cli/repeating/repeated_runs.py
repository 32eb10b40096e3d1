"""The loop of `watch` and `serve`: run, hand over the report, wait, run again, until a signal ends it."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack, nullcontext
from dataclasses import dataclass, field
from typing import Protocol

from xnai_validate.cli.interrupts import Interrupts, interrupts
from xnai_validate.cli.notifying.announcer import Announcer
from xnai_validate.cli.outputs import Outputs
from xnai_validate.cli.repeating.options import RepeatedOptions
from xnai_validate.cli.running.earlier_runs.baselines import Baselines
from xnai_validate.cli.running.environment import add_env_files
from xnai_validate.cli.running.faults_in_force import refuse_left_faults
from xnai_validate.cli.running.session import Run, prepared_plan
from xnai_validate.cli.running.stack import Stack, open_stack, read_stack_file
from xnai_validate.errors import NotUndone, StackDisturbed, XnaiError
from xnai_validate.model.results.report import RunReport
from xnai_validate.model.results.verdict import Exit
from xnai_validate.report.registry import FORMATS

SLICE_S = 1.0
"""The longest single sleep, in seconds."""
LEAST_PAUSE_S = 1.0
"""Seconds between two runs, also where a run takes longer than the interval."""


class Listener(Protocol):
    """What a command does with its runs."""

    def ended(self, report: RunReport) -> None:
        """Receive the report of a run that was not interrupted."""

    def not_begun(self, error: XnaiError) -> None:
        """Receive the reason why a run could not begin, such as a profile that has an error by now."""

    def waiting(self, seconds: float) -> AbstractContextManager[object]:
        """Return the context in which the time until the next run passes."""
        return nullcontext()


@dataclass(slots=True)
class RepeatedRuns:
    """The runs of one command. Of a run that has ended, only what the listener keeps stays in memory."""

    options: RepeatedOptions
    listener: Listener
    exit_code: int = int(Exit.INTERRUPTED)
    """The exit code of the last run that was not interrupted."""
    clock: Callable[[], float] = time.monotonic
    _announcer: Announcer = field(init=False)
    _stack: Stack = field(default_factory=Stack)
    _first: bool = True

    def repeat(self) -> int:
        """Run until a signal, or until a fault may be in force; return the exit code of the last run.

        Raises XnaiError if the first run cannot begin, NotUndone if a later one cannot because of a fault.
        """
        add_env_files(self.options.env_file or ())
        refuse_left_faults()
        with ExitStack() as exits:
            handler = exits.enter_context(interrupts())
            self._announcer = exits.enter_context(Announcer(self.options))
            try:
                self._stack = exits.enter_context(open_stack(self.options, lambda: None))
                while self._again(handler):
                    pass
            except KeyboardInterrupt:
                if self._first:
                    raise
        return self.exit_code

    def _again(self, handler: Interrupts) -> bool:
        """Run once and wait; return whether another run follows."""
        begun = self.clock()
        try:
            report = self._run(handler)
        except XnaiError as error:
            # The fault of a run that still goes on is reverted by it: the next run may begin again.
            if self._first or (isinstance(error, NotUndone) and not isinstance(error, StackDisturbed)):
                raise
            self.exit_code = int(Exit.UNDECIDED)
            self.listener.not_begun(error)
        else:
            if report.run.stopped != "interrupted" or report.exit_code == Exit.NOT_UNDONE:
                self.exit_code = report.exit_code
                self._first = False
                self.listener.ended(report)
            if handler.pending or report.run.stopped == "interrupted" or report.exit_code == Exit.NOT_UNDONE:
                return False
        pause_s = max(LEAST_PAUSE_S, begun + self.options.every - self.clock())
        with self.listener.waiting(pause_s):
            _sleep(pause_s)
        return True

    def _run(self, handler: Interrupts) -> RunReport:
        """Load the plan anew, so that an edited profile and a restarted stack are taken as they are, and run it."""
        options = self.options
        stack = self._stack
        if not self._first:
            refuse_left_faults()
            if stack.file is not None:
                stack = Stack(read_stack_file(stack.file), stack.file)
        plan = prepared_plan(options, stack, forecast=self._first)
        baselines, format_ = Baselines(options.baseline, None), FORMATS.get(options.format)
        with Outputs(tuple(options.output or ())) as outputs:
            run = Run(options, format_, plan, outputs, baselines, handler, self._announcer, forecast=self._first)
            report = run.measure()
            handler.ignored = False
            run.write_files(report)
            run.conclude(report)
            return report


def _sleep(seconds: float) -> None:
    """Sleep in slices: a signal that comes just before a sleep begins is handled only when that sleep ends."""
    end = time.monotonic() + seconds
    while (left_s := end - time.monotonic()) > 0:
        time.sleep(min(left_s, SLICE_S))
