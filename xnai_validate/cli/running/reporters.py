"""The reporters that show a run while it goes on: the live display, log lines, JSON lines."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import IO

from rich.console import Console

from xnai_validate.cli.outputs import Outputs
from xnai_validate.cli.running.options import RunOptions
from xnai_validate.cli.running.sinks import Sink
from xnai_validate.cli.terminal import console
from xnai_validate.model.results.events import Event, Progress
from xnai_validate.report.format import Format
from xnai_validate.report.formats.jsonl import line
from xnai_validate.report.terminal.live import Live
from xnai_validate.report.terminal.log_lines import LogLines


def live_sinks(options: RunOptions, format_: Format, outputs: Outputs) -> tuple[Sink, ...]:
    """Return the reporters of a run: JSON lines to files and stdout, and on stderr the live display or log lines."""
    sinks: list[Sink] = [
        JsonLineSink(str(output.path), output.file.write, output.file)
        for output in outputs.all
        if output.file and output.format.streaming
    ]
    if format_.streaming:
        sinks.append(JsonLineSink("stdout", console.print_out))
    if options.quiet or (format_.streaming and sys.stdout.isatty()):
        return tuple(sinks)
    if sys.stderr.isatty() and os.environ.get("TERM") != "dumb":
        sinks.append(LiveSink(console.wants_color(sys.stderr, options.color)))
    elif options.verbose:
        sinks.append(LineSink())
    return tuple(sinks)


class LiveSink:
    """The live display, on stderr."""

    name = "live display"

    def __init__(self, color: bool) -> None:
        self._live = Live(Console(stderr=True, no_color=not color, highlight=False, markup=False, emoji=False))

    def take(self, event: Event) -> None:
        """Show an event."""
        self._live.take(event)

    def progress(self, progress: Progress) -> None:
        """Show the progress of a measurement."""
        self._live.progress(progress)

    def close(self) -> None:
        """Remove the display."""
        self._live.close()


class LineSink:
    """Log lines for people, on stderr."""

    name = "log lines"

    def __init__(self) -> None:
        self._lines = LogLines()

    def take(self, event: Event) -> None:
        """Write the line of an event, if it has one."""
        text = self._lines.line_of(event)
        if text is not None:
            sys.stderr.write(text + "\n")
            sys.stderr.flush()

    def progress(self, progress: Progress) -> None:
        """Ignore progress, which is not a log entry."""

    def close(self) -> None:
        """Do nothing."""


class JsonLineSink:
    """JSON lines for machines, to a file or to stdout."""

    def __init__(self, name: str, write: Callable[[str], object], file: IO[str] | None = None) -> None:
        self.name = name
        self._write = write
        self._file = file

    def take(self, event: Event) -> None:
        """Write an event at once."""
        self._write(line(event))

    def progress(self, progress: Progress) -> None:
        """Ignore progress, which is not an event."""

    def close(self) -> None:
        """Close the file, if any."""
        if self._file is not None:
            self._file.close()
