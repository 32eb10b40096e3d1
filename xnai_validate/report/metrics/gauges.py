"""A run as gauges of Prometheus: its verdict, its checks, and every figure that they measured, in base units.

Source: Prometheus, "Metric and label naming". A skipped check has no sample: its result is unknown.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from xnai_validate.model.results.report import CheckResult, RunReport
from xnai_validate.model.results.status import Status
from xnai_validate.model.text import printable
from xnai_validate.report.metrics.gauge_names import base_unit

Sample = tuple[Mapping[str, str], float]
"""Labels and value."""
KEYS = 50
"""Keys of one fact that have a sample each, such as the statuses of a load."""
LABEL_CAP = 200
"""Characters of the value of a label."""
_LEVELS: tuple[Literal["info", "warning", "error"], ...] = ("info", "warning", "error")


@dataclass(frozen=True, slots=True)
class Gauge:
    """A gauge with its samples; no two of them have the same labels."""

    name: str
    description: str
    samples: tuple[Sample, ...]


def gauges_of(report: RunReport) -> Iterator[Gauge]:
    """Yield the gauges of a run that have samples: first those of the run and its checks, then those of figures."""
    run = {"profile": _text(",".join(report.run.profiles))}
    measured = [check for check in report.checks if check.status is not Status.SKIP]
    for gauge in (*_run_gauges(report, run), *_check_gauges(report, run, measured), *_figure_gauges(run, measured)):
        if gauge.samples:
            yield gauge


def _run_gauges(report: RunReport, run: Mapping[str, str]) -> Iterator[Gauge]:
    """Yield the gauges about the whole run."""
    started_s = datetime.fromisoformat(report.run.started_at).timestamp()
    elapsed_s = report.run.elapsed_ms / 1000
    counts = Counter(notice.level for notice in report.notices)
    notices = [({**run, "level": level}, float(counts[level])) for level in _LEVELS]
    yield _make_gauge("run_exit_code", "The exit code of the last run: 0 if it passed.", [(run, report.exit_code)])
    yield _make_gauge(
        "run_timestamp_seconds", "The start of the last run, in seconds since the epoch.", [(run, started_s)]
    )
    yield _make_gauge("run_duration_seconds", "The duration of the last run.", [(run, elapsed_s)])
    yield _make_gauge("run_notices", "Notices of the last run, by level.", notices)
    yield _make_gauge("checks", "Checks of the last run, by category and status.", _count_samples(report, run))


def _check_gauges(report: RunReport, run: Mapping[str, str], measured: list[CheckResult]) -> Iterator[Gauge]:
    """Yield the gauges about the checks and the criteria."""
    labels = [_labels_of(run, check) for check in measured]
    yield _make_gauge(
        "check_passed",
        "1 if a check of the last run passed, also if it was flaky or had a warning; else 0.",
        [(name, float(check.status.passed)) for name, check in zip(labels, measured, strict=True)],
    )
    yield _make_gauge(
        "check_waived",
        "1 for a check of the last run that failed, which a waiver accepts.",
        [(name, 1.0) for name, check in zip(labels, measured, strict=True) if check.status is Status.WAIVED],
    )
    yield _make_gauge(
        "check_duration_seconds",
        "The duration of the last attempt of a check.",
        [(name, check.elapsed_ms / 1000) for name, check in zip(labels, measured, strict=True)],
    )
    yield _make_gauge(
        "criterion_met",
        "1 if a success criterion of the last run is met, else 0.",
        [({**run, "criterion": _text(each.name)}, float(each.met)) for each in report.criteria if each.met is not None],
    )


@dataclass(slots=True)
class _Figures:
    """The samples of one gauge while they are collected."""

    description: str
    samples: dict[tuple[tuple[str, str], ...], float] = field(default_factory=dict)


def _figure_gauges(run: Mapping[str, str], measured: list[CheckResult]) -> Iterator[Gauge]:
    """Yield a gauge for each numeric fact of each kind; a fact that is a mapping has a sample for each key."""
    collected: dict[str, _Figures] = {}
    for check in measured:
        labels = _labels_of(run, check)
        for fact, value in check.facts.items():
            unit = base_unit(f"{check.kind.replace('.', '_')}_{fact}")
            known = collected.setdefault(
                unit.name, _Figures(_text(f"{fact} of {check.kind}{unit.note}, in the last run."))
            )
            for key, number in _numbers(value):
                named = labels if key is None else {**labels, "key": key}
                known.samples.setdefault(tuple(named.items()), number * unit.factor)
    for name, figures in sorted(collected.items()):
        yield _make_gauge(
            name, figures.description, [(dict(labels), value) for labels, value in figures.samples.items()]
        )


def _numbers(value: object) -> Iterator[tuple[str | None, float]]:
    """Yield the numbers of a fact, each with its key: one without a key, or those of a mapping, at most `KEYS`."""
    if isinstance(value, dict):
        keyed = [(_text(key), item) for key, item in value.items() if isinstance(item, int | float)]
        yield from ((key, float(item)) for key, item in keyed[:KEYS] if abs(item) < 1e300)
    elif isinstance(value, int | float) and abs(value) < 1e300:
        yield None, float(value)


def _labels_of(run: Mapping[str, str], check: CheckResult) -> dict[str, str]:
    """Return the labels of a check."""
    return {**run, "check": _text(check.id), "category": _text(check.category), "target": _text(check.target or "")}


def _count_samples(report: RunReport, run: Mapping[str, str]) -> Iterator[Sample]:
    """Yield the number of checks of each category and status."""
    counts = Counter((check.category, check.status) for check in report.checks)
    for category in dict.fromkeys(check.category for check in report.checks):
        for status in Status:
            yield {**run, "category": _text(category), "status": status.value}, counts[category, status]


def _make_gauge(name: str, description: str, samples: Iterable[Sample]) -> Gauge:
    """Return a gauge with the prefix of this tool."""
    return Gauge(f"xnai_validate_{name}", description, tuple(samples))


def _text(text: str) -> str:
    """Return a label's value: bounded, without control characters."""
    return printable(text)[:LABEL_CAP]
