"""The listener of `watch`: prints what a run changed, and only that."""

from __future__ import annotations

import os
import sys
from contextlib import AbstractContextManager, nullcontext
from datetime import datetime

from rich.console import Console

from xnai_validate.cli.repeating.change_lines import append_changes
from xnai_validate.cli.repeating.changes import Standing, changes_since
from xnai_validate.cli.repeating.options import RepeatedOptions
from xnai_validate.cli.terminal import console
from xnai_validate.cli.terminal.page import new_page
from xnai_validate.errors import XnaiError
from xnai_validate.model.results.report import RunReport
from xnai_validate.model.units import about


class ShownChanges:
    """Prints the changes of each run on stdout, errors on stderr; keeps the standing of the last run only."""

    def __init__(self, options: RepeatedOptions) -> None:
        self._options = options
        self._before: Standing | None = None
        self._error: str | None = None
        self._runs = 0

    def ended(self, report: RunReport) -> None:
        """Print what changed since the run before."""
        changes = changes_since(self._before, report)
        self._before, self._error = Standing.of(report), None
        self._runs += 1
        if changes.none:
            return
        page = new_page(sys.stdout, self._options.color)
        append_changes(page, changes, datetime.now().astimezone(), verbose=self._options.verbose)
        console.print_out(str(page))
        sys.stdout.flush()

    def not_begun(self, error: XnaiError) -> None:
        """Print why a run could not begin, once while the reason stays the same."""
        if error.message != self._error:
            console.print_notice(f"{datetime.now():%Y-%m-%d %H:%M:%S} no run: {error.message}")
        self._error = error.message

    def waiting(self, seconds: float) -> AbstractContextManager[object]:
        """On a terminal, show that the command is alive while it waits."""
        if self._options.quiet or not sys.stderr.isatty() or os.environ.get("TERM") == "dumb":
            return nullcontext()
        color = console.wants_color(sys.stderr, self._options.color)
        shown = Console(stderr=True, no_color=not color, highlight=False, markup=False, emoji=False)
        verdict = self._before.verdict if self._before else "unknown"
        return shown.status(f"run {self._runs}: {verdict}; the next begins in {about(seconds)}; Ctrl-C ends")
