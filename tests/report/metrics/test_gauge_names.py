"""Names of gauges: base units at the end, none that the linter of Prometheus refuses."""

from __future__ import annotations

import re

import pytest

from xnai_validate.model.judging.fact_types import fact_types
from xnai_validate.registry import CHECKERS
from xnai_validate.report.metrics.gauge_names import base_unit


@pytest.mark.parametrize(
    ("fact", "name", "factor"),
    [
        ("http_request_total_ms", "http_request_total_seconds", 1e-3),
        ("process_state_rss_mib", "process_state_rss_bytes", 2**20),
        ("tls_certificate_days_left", "tls_certificate_left_seconds", 86400),
        ("host_resources_memory_percent", "host_resources_memory_ratio", 0.01),
        ("load_http_error_ratio", "load_http_error_ratio", 1),
        ("load_http_throughput_rps", "load_http_throughput_per_second", 1),
        ("load_http_error_count", "load_http_error_count_value", 1),
        ("http_request_status", "http_request_status", 1),
        ("acme_Thing.width_m", "acme_thing_width_metres", 1),
    ],
)
def test_units_become_base_units(fact: str, name: str, factor: float) -> None:
    """Milliseconds become seconds, MiB bytes, percent a ratio; a count keeps its name."""
    unit = base_unit(fact)
    assert unit.name == name
    assert unit.factor == pytest.approx(factor)


def test_every_fact_of_every_kind_has_a_name_of_its_own() -> None:
    """No two numeric facts share a gauge, and no name has an abbreviated unit, a type, or a reserved ending."""
    names: dict[str, str] = {}
    for kind in CHECKERS.names():
        for fact, type_ in fact_types(CHECKERS.get(kind).facts).items():
            if type_.shape in ("number", "flag", "map"):
                name = base_unit(f"{kind.replace('.', '_')}_{fact}").name
                assert names.setdefault(name, f"{kind} {fact}") == f"{kind} {fact}"
                assert re.fullmatch(r"[a-z][a-z0-9_]*", name)
                parts = set(name.split("_"))
                assert not parts & {"s", "ms", "us", "ns", "sec", "b", "kb", "mb", "gb", "tb", "m", "h", "d", "gauge"}
                assert not parts & {"minutes", "hours", "days", "weeks", "bits"}
                assert name.rpartition("_")[2] not in {"total", "count", "sum", "bucket"}
    assert len(names) > 500
