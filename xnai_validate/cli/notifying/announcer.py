"""Announces runs to other systems: pings at their start and end, notifications when something changed."""

from __future__ import annotations

import logging
from types import TracebackType
from typing import Self

from xnai_validate.cli.notifying.deliveries import Deliveries
from xnai_validate.cli.notifying.message import message_of
from xnai_validate.cli.notifying.ping import end_ping, start_ping
from xnai_validate.cli.notifying.receivers import receiver_of
from xnai_validate.cli.repeating.changes import Standing, changes_since
from xnai_validate.cli.running.earlier_runs.standing import stored_standing
from xnai_validate.cli.running.options import RunOptions
from xnai_validate.cli.terminal.console import print_notice
from xnai_validate.history.records import recorded_profiles
from xnai_validate.model.results.report import RunReport
from xnai_validate.plan import Plan

CLOSE_S = 20.0
"""Seconds that the end of the command waits for messages that are not delivered yet."""


class Announcer:
    """The announcements of one command, as a context manager that waits for their delivery.

    A message that cannot be delivered is a notice on stderr; it does not change the exit code, which is the stack's.
    """

    def __init__(self, options: RunOptions) -> None:
        """Raises ConfigError for a url that cannot be notified."""
        self._pings = tuple(options.ping or ())
        self._receivers = tuple(receiver_of(url) for url in options.notify or ())
        self._before: Standing | None = None
        self._known = False
        self._deliveries = Deliveries() if self._pings or self._receivers else None
        if self._receivers:
            logging.getLogger("apprise").addHandler(logging.NullHandler())  # else its warnings go to stderr

    def begin(self, plan: Plan) -> None:
        """Announce the start of a run. The run before the first one is the last stored one of the same checks."""
        if self._deliveries is None:
            return
        if self._receivers and not self._known:
            self._before = stored_standing(
                recorded_profiles(plan.profiles, plan.shard), frozenset(check.id for check in plan.checks)
            )
            self._known = True
        for url in self._pings:
            self._deliveries.put(start_ping(url))

    def end(self, report: RunReport) -> None:
        """Announce the end of a run, unless it was interrupted: then it has no verdict."""
        if self._deliveries is None or report.run.stopped == "interrupted":
            return
        for url in self._pings:
            self._deliveries.put(end_ping(url, report))
        if self._receivers:
            changes = changes_since(self._before, report)
            self._before = Standing.of(report)
            if changes.news:
                message = message_of(changes)
                for receiver in self._receivers:
                    self._deliveries.put(receiver(message))
        self._print_failures()

    def _print_failures(self) -> None:
        """Print what could not be delivered."""
        for sentence in self._deliveries.failures() if self._deliveries else ():
            print_notice(f"not delivered: {sentence}")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._deliveries is not None:
            self._deliveries.close(CLOSE_S)
            self._print_failures()
