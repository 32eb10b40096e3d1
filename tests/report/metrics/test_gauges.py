"""Every figure of every check is a gauge."""

from __future__ import annotations

from prometheus_client.parser import text_string_to_metric_families

from tests.report.runs import Script
from xnai_validate.model.json import JsonObject
from xnai_validate.model.results.report_builder import build_report
from xnai_validate.model.results.status import Status
from xnai_validate.report.metrics.gauges import KEYS, LABEL_CAP, Gauge, gauges_of
from xnai_validate.report.registry import FORMATS
from xnai_validate.report.view import View

FACTS: JsonObject = {
    "status": 200,
    "total_ms": 12.5,
    "json_valid": True,
    "content_type": "application/json",
    "connect_ms": None,
    "statuses": {"200": 9, "503": 1, "note": "x"},
    "json": {"a": [1, 2]},
    "huge": 10**400,
}


def gauges(*facts: JsonObject, status: Status = Status.PASS) -> dict[str, Gauge]:
    """Return the gauges of a run with a check for each of `facts`, by name."""
    script = Script("Run", "x")
    for number, each in enumerate(facts):
        script.check(f"a/b:{number}", "Check", status, facts=each)
    return {gauge.name: gauge for gauge in gauges_of(build_report(script.events()))}


def test_numbers_and_flags_are_gauges_in_base_units() -> None:
    """Of each check: numbers, true and false as 1 and 0, the numbers of a mapping by key; texts and nulls are none."""
    found = gauges(FACTS, {"total_ms": 7})
    figures = {name for name in found if name.startswith("xnai_validate_http_request_")}
    assert figures == {
        f"xnai_validate_http_request_{name}" for name in ("status", "total_seconds", "json_valid", "statuses")
    }
    totals = found["xnai_validate_http_request_total_seconds"]
    assert [(labels["check"], value) for labels, value in totals.samples] == [("a/b:0", 0.0125), ("a/b:1", 0.007)]
    assert totals.description == "total_ms of http.request, in seconds, in the last run."
    assert [value for _, value in found["xnai_validate_http_request_json_valid"].samples] == [1.0]
    statuses = found["xnai_validate_http_request_statuses"].samples
    assert {labels["key"]: value for labels, value in statuses} == {"200": 9, "503": 1}


def test_a_skipped_check_has_no_figure() -> None:
    """What was not measured is not a number."""
    found = gauges(FACTS, status=Status.SKIP)
    assert not [name for name in found if "http_request" in name or "check_" in name]


def test_labels_are_bounded() -> None:
    """However many keys a server sends, and however long: a bounded number of samples, no two with equal labels."""
    many: JsonObject = {"statuses": {f"{'k' * 300}{number}": number for number in range(1000)}}
    samples = gauges(many)["xnai_validate_http_request_statuses"].samples
    assert len(samples) <= KEYS
    assert max(len(labels["key"]) for labels, _ in samples) <= LABEL_CAP
    assert len({tuple(labels.items()) for labels, _ in samples}) == len(samples)


def test_hostile_keys_do_not_break_the_format() -> None:
    """Quotes, line ends and escape sequences in a key are read back by the official parser."""
    script = Script("Run", "x")
    script.check("a/b:c", "Check", facts={"statuses": {'"} 1\n\x1b[2J\\': 1}})
    text = FORMATS.get("prometheus").text(build_report(script.events()), View())
    families = {family.name: family for family in text_string_to_metric_families(text)}
    [sample] = families["xnai_validate_http_request_statuses"].samples
    assert sample.value == 1
    assert "\x1b" not in text
