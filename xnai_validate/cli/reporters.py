"""The reporters that the command line offers, as sinks: the live display, log lines, JSON lines."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import IO

from xnai_validate.model.results.events import Event, Progress
from xnai_validate.report.formats.jsonl import line
from xnai_validate.report.terminal.log_lines import LogLines


class LiveSink:
    """The live display, on stderr."""

    name = "live display"

    def __init__(self, color: bool) -> None:
        from rich.console import Console

        from xnai_validate.report.terminal.live import Live

        self._live = Live(Console(stderr=True, no_color=not color, highlight=False, markup=False, emoji=False))

    def take(self, event: Event) -> None:
        """Show it."""
        self._live.take(event)

    def progress(self, progress: Progress) -> None:
        """Show it."""
        self._live.progress(progress)

    def close(self) -> None:
        """Clear the display away."""
        self._live.close()


class LineSink:
    """A line an event, for people, on stderr."""

    name = "log lines"

    def __init__(self) -> None:
        self._lines = LogLines()

    def take(self, event: Event) -> None:
        """Write its line, where it has one."""
        text = self._lines.line_of(event)
        if text is not None:
            sys.stderr.write(text + "\n")
            sys.stderr.flush()

    def progress(self, progress: Progress) -> None:
        """Not for a log."""

    def close(self) -> None:
        """Nothing to do."""


class JsonLineSink:
    """A line an event, for machines, to a file or to stdout."""

    def __init__(self, name: str, write: Callable[[str], object], file: IO[str] | None = None) -> None:
        self.name = name
        self._write = write
        self._file = file

    def take(self, event: Event) -> None:
        """Write it at once."""
        self._write(line(event))

    def progress(self, progress: Progress) -> None:
        """Not an event."""

    def close(self) -> None:
        """Close the file, where there is one."""
        if self._file is not None:
            self._file.close()
