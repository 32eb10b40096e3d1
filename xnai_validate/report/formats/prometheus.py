"""The report as metrics in Prometheus' text format, for node_exporter's textfile collector or a push gateway.

Source: Prometheus, "Exposition formats", text format 0.0.4.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from xnai_validate.model.results.report import RunReport
from xnai_validate.report.format import Format
from xnai_validate.report.metrics.gauges import Gauge, gauges_of
from xnai_validate.report.view import View


def render(report: RunReport, view: View) -> Iterator[str]:
    """Yield the report as gauges, a family at a time."""
    return map(_format_gauge, gauges_of(report))


def _format_gauge(gauge: Gauge) -> str:
    """Format a gauge with its samples."""
    lines = [f"{gauge.name}{{{_format_labels(labels)}}} {value:.10g}\n" for labels, value in gauge.samples]
    description = gauge.description.replace("\\", "\\\\")
    return f"# HELP {gauge.name} {description}\n# TYPE {gauge.name} gauge\n{''.join(lines)}"


def _format_labels(labels: Mapping[str, str]) -> str:
    """Format the labels of a sample."""
    return ",".join(f'{name}="{_value(text)}"' for name, text in labels.items())


def _value(text: str) -> str:
    r"""Escape `\` and `"` in a label's value; it has no line ends and no other control characters."""
    return text.replace("\\", "\\\\").replace('"', '\\"')


FORMAT = Format("prometheus", "metrics, for a textfile collector", extensions=(".prom",), render=render)
