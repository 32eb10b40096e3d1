"""The export of a trace by OTLP over HTTP, with what went wrong in one sentence."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from urllib.parse import urlsplit, urlunsplit

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

from xnai_validate.model.text import printable

TIMEOUT_S = 5
"""Seconds of one export, its repetitions included."""
REASON_CAP = 300
"""Characters of a reason."""
PATH = "/v1/traces"
"""The default path of traces (OpenTelemetry Protocol Exporter specification)."""


def traces_url(url: str) -> str:
    """Return the url for traces: a url without a path is that of a collector, whose default path is added."""
    parts = urlsplit(url)
    return url if parts.path.strip("/") else urlunsplit(parts._replace(path=PATH))


class _LastMessage(logging.Handler):
    """Keeps the last message of the SDK, which would go to stderr."""

    text = ""

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a message."""
        self.text = record.getMessage()


class WatchedExporter(SpanExporter):
    """Exports spans by OTLP and counts those that were not accepted.

    The SDK sends the headers of the environment variable OTEL_EXPORTER_OTLP_HEADERS as well. It logs why an export
    failed; the log goes to `reason` instead of stderr.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self._exporter = OTLPSpanExporter(traces_url(url), timeout=TIMEOUT_S)
        self._last = _LastMessage(logging.WARNING)
        self._logger = logging.getLogger("opentelemetry")
        self._propagated = self._logger.propagate
        self._logger.propagate = False
        self._logger.addHandler(self._last)
        self.lost = 0
        """Spans that were not accepted."""

    @property
    def reason(self) -> str:
        """The last message of the SDK about it, cut, without the parts of the url that may be credentials."""
        parts = urlsplit(self._url)
        text = self._last.text
        for secret in (self._url, parts.query, parts.password, parts.username, parts.path.strip("/")):
            text = text.replace(secret, "...") if secret else text
        return printable(text[:REASON_CAP])

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Export a batch."""
        try:
            result = self._exporter.export(spans)
        except Exception as error:  # noqa: BLE001 - the exporter may raise whatever its transport or its encoder raises
            self._last.text = type(error).__name__
            result = SpanExportResult.FAILURE
        if result is not SpanExportResult.SUCCESS:
            self.lost += len(spans)
        return result

    def shutdown(self) -> None:
        """End the export."""
        self._exporter.shutdown()  # type: ignore[no-untyped-call]
        self._logger.removeHandler(self._last)
        self._logger.propagate = self._propagated

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """Do nothing: each batch is exported at once."""
        return True
