"""The report as metrics in Prometheus' text format, for node_exporter's textfile collector or a push gateway.

Source: Prometheus, "Exposition formats", text format 0.0.4. A skipped check has no sample: its result is unknown.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Literal

from xnai_validate.model.results.report import RunReport
from xnai_validate.model.results.status import Status
from xnai_validate.model.text import printable
from xnai_validate.report.format import Format
from xnai_validate.report.view import View

Sample = tuple[Mapping[str, str], float]
_LEVELS: tuple[Literal["info", "warning", "error"], ...] = ("info", "warning", "error")


def render(report: RunReport, view: View) -> Iterator[str]:
    """Yield the report as gauges, a family at a time."""
    run = {"profile": ",".join(report.run.profiles)}
    started_s = datetime.fromisoformat(report.run.started_at).timestamp()
    measured = [check for check in report.checks if check.status is not Status.SKIP]
    labels = [
        {**run, "check": check.id, "category": check.category, "target": check.target or ""} for check in measured
    ]
    yield _family("run_exit_code", "The exit code of the last run: 0 if it passed.", [(run, report.exit_code)])
    yield _family("run_timestamp_seconds", "The start of the last run, in seconds since the epoch.", [(run, started_s)])
    yield _family("run_duration_seconds", "The duration of the last run.", [(run, report.run.elapsed_ms / 1000)])
    yield _family("run_notices", "Notices of the last run, by level.", _notices(report, run))
    yield _family("checks", "Checks of the last run, by category and status.", _counts(report, run))
    yield _family(
        "check_passed",
        "1 if a check of the last run passed, also if it was flaky or had a warning; else 0.",
        [(name, float(check.status.passed)) for name, check in zip(labels, measured, strict=True)],
    )
    yield _family(
        "check_waived",
        "1 for a check of the last run that failed, which a waiver accepts.",
        [(name, 1.0) for name, check in zip(labels, measured, strict=True) if check.status is Status.WAIVED],
    )
    yield _family(
        "check_duration_seconds",
        "The duration of the last attempt of a check.",
        [(name, check.elapsed_ms / 1000) for name, check in zip(labels, measured, strict=True)],
    )
    yield _family(
        "criterion_met",
        "1 if a success criterion of the last run is met, else 0.",
        [({**run, "criterion": each.name}, float(each.met)) for each in report.criteria if each.met is not None],
    )


def _counts(report: RunReport, run: Mapping[str, str]) -> Iterator[Sample]:
    counts = Counter((check.category, check.status) for check in report.checks)
    for category in dict.fromkeys(check.category for check in report.checks):
        for status in Status:
            yield {**run, "category": category, "status": status.value}, counts[category, status]


def _notices(report: RunReport, run: Mapping[str, str]) -> Iterator[Sample]:
    counts = Counter(notice.level for notice in report.notices)
    for level in _LEVELS:
        yield {**run, "level": level}, counts[level]


def _family(name: str, description: str, samples: Iterable[Sample]) -> str:
    full = f"xnai_validate_{name}"
    lines = [f"{full}{{{_labels(labels)}}} {value:.10g}\n" for labels, value in samples]
    return f"# HELP {full} {description}\n# TYPE {full} gauge\n{''.join(lines)}" if lines else ""


def _labels(labels: Mapping[str, str]) -> str:
    return ",".join(f'{name}="{_value(text)}"' for name, text in labels.items())


def _value(text: str) -> str:
    r"""A label's value: `\`, `"` and line ends are escaped, and no character in it is a control character."""
    return printable(text).replace("\\", "\\\\").replace('"', '\\"')


FORMAT = Format("prometheus", "metrics, for a textfile collector", extensions=(".prom",), render=render)
