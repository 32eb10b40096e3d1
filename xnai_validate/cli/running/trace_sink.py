"""`--otlp`: the reporter that sends a run as a trace."""

from __future__ import annotations

from typing import TYPE_CHECKING

from xnai_validate.cli.terminal.console import print_notice
from xnai_validate.errors import ConfigError
from xnai_validate.model.results.events import Event, Progress
from xnai_validate.model.trace_context import TRACEPARENTS

if TYPE_CHECKING:
    from xnai_validate.telemetry.otlp import WatchedExporter
    from xnai_validate.telemetry.run_trace import RunTrace


class TraceSink:
    """Sends the spans of a run to a collector. What it does not accept is a notice; the exit code is the stack's."""

    name = "--otlp"

    def __init__(self, trace: RunTrace, exporter: WatchedExporter) -> None:
        self._trace = trace
        self._exporter = exporter

    def take(self, event: Event) -> None:
        """Add an event to the trace."""
        self._trace.take(event)

    def progress(self, progress: Progress) -> None:
        """Ignore progress, which is not an event."""

    def close(self) -> None:
        """Export what is left."""
        TRACEPARENTS.set(None)
        in_time = self._trace.close()
        if self._exporter.lost or not in_time:
            reason = f": {self._exporter.reason}" if self._exporter.reason else ""
            print_notice(f"--otlp: {self._exporter.lost} spans were not accepted{reason}")


def trace_sink(url: str) -> TraceSink:
    """Begin the trace of a run; the requests of its checks carry its context. Raises ConfigError without the extra."""
    try:
        from xnai_validate.telemetry.otlp import WatchedExporter
        from xnai_validate.telemetry.run_trace import RunTrace
    except ImportError as error:
        raise ConfigError(
            f"--otlp needs the extra otel ({error.name} is not installed)", hint="pip install 'xnai-validate[otel]'"
        ) from None
    exporter = WatchedExporter(url)
    trace = RunTrace(exporter)
    TRACEPARENTS.set(trace.traceparent)
    return TraceSink(trace, exporter)
