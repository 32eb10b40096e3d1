"""Runs generated for tests: loads with a known distribution and known noise, and reports of them."""

from __future__ import annotations

import math
import random
from collections.abc import Mapping, Sequence
from dataclasses import replace

from tests.report.runs import Script
from xnai_validate.baseline.record import RecordedRun, recorded
from xnai_validate.model.histogram import Histogram
from xnai_validate.model.json import JsonObject, JsonValue
from xnai_validate.model.judging.findings import Finding
from xnai_validate.model.results.report import RunReport
from xnai_validate.model.results.report_builder import build_report
from xnai_validate.model.results.status import Status

HOST: JsonObject = {
    "name": "foundation",
    "system": "Linux 6.1 x86_64",
    "python": "3.11.9",
    "cpus": 2,
    "memory_mib": 6000,
}
LOAD = "performance/load:query"
MEMORY = "resources/stack:api-memory"


def latencies(rng: random.Random, count: int, *, median_ms: float = 20.0, sigma: float = 0.3) -> list[int]:
    """Latencies in us, lognormal about a median."""
    return [round(rng.lognormvariate(math.log(median_ms * 1000), sigma)) for _ in range(count)]


def histograms(windows: Sequence[Sequence[int]]) -> list[Histogram]:
    """A histogram a window."""
    found = []
    for window in windows:
        histogram = Histogram()
        histogram.record_many(window)
        found.append(histogram)
    return found


def load_facts(rng: random.Random, *, median_ms: float = 20.0, count: int = 900, windows: int = 30) -> JsonObject:
    """The facts of a load without dependence between its requests."""
    each = [latencies(rng, count // windows, median_ms=median_ms) for _ in range(windows)]
    kept: list[JsonValue] = [histogram.to_json() for histogram in histograms(each)]  # type: ignore[misc]
    return {"sent_count": count, "too_slow_client": False, "latency_windows": {"window_ms": 333.3, "windows": kept}}


def report(
    facts: Mapping[str, JsonObject],
    *,
    number: int = 0,
    host: JsonObject | None = None,
    profile: str = "phase4.2",
    status: Status = Status.PASS,
    ended: bool = True,
) -> RunReport:
    """A report with one check an item of `facts`; every fact has a rule."""
    script = Script("Load", profile)
    for check, measured in facts.items():
        findings = tuple(Finding(name, "max", 1, None, True, "expect") for name in measured)
        script.check(check, check, status, facts=measured, findings=findings)
    events = script.events()
    found = build_report(events if ended else events[:-1])
    run = replace(found.run, id=f"20261122T1703{number:02}-abcdef", host=host or HOST)
    return replace(found, run=run)


def load_run(rng: random.Random, number: int = 0, *, median_ms: float = 20.0, spread: float = 0.0) -> RecordedRun:
    """A run of one load, whose median differs from run to run by `spread`."""
    median_ms *= math.exp(rng.gauss(0, spread))
    return recorded(report({LOAD: load_facts(rng, median_ms=median_ms)}, number=number), passed_only=False)


def memory_run(rss_mib: float, number: int = 0) -> RecordedRun:
    """A run that measured memory and nothing else."""
    return recorded(report({MEMORY: {"tree_rss_mib": rss_mib}}, number=number), passed_only=False)
