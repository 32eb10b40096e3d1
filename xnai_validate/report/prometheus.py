"""The report as metrics in Prometheus' text format, for node_exporter's textfile collector or a push gateway.

Source: Prometheus, "Exposition formats", text format 0.0.4. A check that was skipped has no sample: nothing is known.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from xnai_validate.model.results.report import RunReport
from xnai_validate.model.results.status import Status
from xnai_validate.model.text import printable
from xnai_validate.report.view import View

Sample = tuple[Mapping[str, str], float]


def render(report: RunReport, view: View) -> str:
    """The report as gauges."""
    run = {"profile": ",".join(report.run.profiles)}
    started_s = datetime.fromisoformat(report.run.started_at).timestamp()
    measured = [check for check in report.checks if check.status is not Status.SKIP]
    names = [{**run, "check": check.id, "category": check.category, "target": check.target or ""} for check in measured]
    categories = dict.fromkeys(check.category for check in report.checks)
    counts = [
        ({**run, "category": name, "status": status.value}, sum(check.status is status for check in members))
        for name in categories
        for members in [[check for check in report.checks if check.category == name]]
        for status in Status
    ]
    made = [
        _family("run_exit_code", "The exit code of the last run: 0 where it passed.", [(run, report.exit_code)]),
        _family("run_timestamp_seconds", "When the last run began, in seconds since the epoch.", [(run, started_s)]),
        _family("run_duration_seconds", "How long the last run took.", [(run, report.run.elapsed_ms / 1000)]),
        _family("checks", "Checks of the last run, by category and status.", counts),
        _family(
            "check_passed",
            "Whether a check of the last run passed (1), flaky and warned ones too.",
            [(name, float(check.status.passed)) for name, check in zip(names, measured, strict=True)],
        ),
        _family(
            "check_duration_seconds",
            "How long the last attempt of a check took.",
            [(name, check.elapsed_ms / 1000) for name, check in zip(names, measured, strict=True)],
        ),
        _family(
            "criterion_met",
            "Whether a success criterion of the last run is met (1).",
            [({**run, "criterion": one.name}, float(one.met)) for one in report.criteria if one.met is not None],
        ),
    ]
    return "".join(made)


def _family(name: str, says: str, samples: Iterable[Sample]) -> str:
    full = f"xnai_validate_{name}"
    lines = [f"{full}{{{_labels(labels)}}} {value:.10g}\n" for labels, value in samples]
    return f"# HELP {full} {says}\n# TYPE {full} gauge\n{''.join(lines)}" if lines else ""


def _labels(labels: Mapping[str, str]) -> str:
    return ",".join(f'{name}="{_value(text)}"' for name, text in labels.items())


def _value(text: str) -> str:
    r"""A label's value: `\`, `"` and line ends are escaped, and nothing in it can move a cursor."""
    return printable(text).replace("\\", "\\\\").replace('"', '\\"')
