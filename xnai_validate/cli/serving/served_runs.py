"""`serve` from its options to its exit code: the server, and the runs whose latest one it shows."""

from __future__ import annotations

import os
from contextlib import AbstractContextManager

from xnai_validate.cli.repeating.repeated_runs import RepeatedRuns
from xnai_validate.cli.repeating.shown_changes import ShownChanges
from xnai_validate.cli.run_history import runs_before
from xnai_validate.cli.serving.latest_run import TREND, LatestRun
from xnai_validate.cli.serving.options import ServeOptions, token_of
from xnai_validate.cli.serving.server import running_server
from xnai_validate.cli.terminal.console import print_notice
from xnai_validate.errors import XnaiError
from xnai_validate.model.results.report import RunReport
from xnai_validate.model.results.verdict import Exit


class ServedRuns:
    """The listener of `serve`: shows changes as `watch` does, and renders the latest run for the server."""

    def __init__(self, options: ServeOptions, latest: LatestRun) -> None:
        self._shown = ShownChanges(options)
        self._latest = latest

    def ended(self, report: RunReport) -> None:
        """Render the run, with the trend of those before it, then show what changed."""
        if self._latest.snapshot is None:
            self._recall_runs_before(report)
        self._latest.take(report)
        self._shown.ended(report)

    def _recall_runs_before(self, report: RunReport) -> None:
        """Take the trend before the first run from the history; without a history it begins with that run."""
        try:
            self._latest.recall(runs_before(report, TREND - 1))
        except XnaiError as error:
            print_notice(f"the trend begins with this run: {error.message}")

    def not_begun(self, error: XnaiError) -> None:
        """Show why a run could not begin."""
        self._latest.refuse(error)
        self._shown.not_begun(error)

    def waiting(self, seconds: float) -> AbstractContextManager[object]:
        """Return the context in which the time until the next run passes."""
        return self._shown.waiting(seconds)


def serve_runs(options: ServeOptions) -> int:
    """Run and serve until a signal; return 0 then, and 4 if a fault may be in force. Raises XnaiError."""
    token = token_of(options, dict(os.environ))
    latest = LatestRun(options.every)
    with running_server(options, latest, token) as url:
        if not options.quiet:
            print_notice(f"serving {url} (and {url}healthz, {url}metrics) until Ctrl-C")
        code = RepeatedRuns(options, ServedRuns(options, latest)).repeat()
    return code if code == Exit.NOT_UNDONE else int(Exit.PASSED)
