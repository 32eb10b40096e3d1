"""Evidence is kept small, and comes back as it was."""

from __future__ import annotations

import random
import tracemalloc
from dataclasses import replace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.model.results.test_report_builder import END, info, started
from tests.model.test_json import documents, texts
from xnai_validate.model.json import JsonObject, to_json
from xnai_validate.model.judging.findings import Finding
from xnai_validate.model.results import events as ev
from xnai_validate.model.results.evidence import TOGETHER, Evidence
from xnai_validate.model.results.report_builder import ReportBuilder, build_report
from xnai_validate.model.results.status import Status
from xnai_validate.model.results.vantage import VantageResult
from xnai_validate.report.formats.json import parse
from xnai_validate.report.registry import FORMATS
from xnai_validate.report.view import View

EVENT_BYTES = 200
"""What the evidence of one of many checks may take."""


def facts(number: int) -> JsonObject:
    """What an HTTP check measures."""
    return {
        "status": 200,
        "headers": {"content-type": "application/json", "content-length": "77"},
        "text": '{"status":"healthy","components":{"redis":true}}',
        "json": {"status": "healthy", "components": {"redis": True}},
        "total_ms": number * 1.0625,
        "url": f"http://127.0.0.1:8000/c/{number}",
        "redirects": [],
    }


def ended(number: int) -> ev.CheckFinished:
    check = info(f"c{number}")
    finding = Finding("status", "in", [200, 204], 200, True, "expect")
    vantage = (VantageResult(name="edge", status=Status.PASS, findings=(finding,), facts=facts(1)),)
    return ev.CheckFinished(
        seq=number + 2,
        at=1.0,
        id=check.id,
        status=Status.PASS,
        findings=(finding,),
        facts=facts(number),
        attempts=1,
        vantage=vantage if number == 0 else (),
    )


@settings(max_examples=25, deadline=None)
@given(kept=st.lists(st.dictionaries(texts, documents, max_size=3), min_size=1, max_size=5), expected=documents)
def test_whatever_was_kept_comes_back(kept: list[Any], expected: Any) -> None:
    """In any order, and whatever it is, it is written as it would have been before."""
    evidence = Evidence()
    items = [
        (
            (Finding(f"f{number}", "equals", expected, kept[number % len(kept)], False, "warn"),),
            kept[number % len(kept)],
            (),
            (VantageResult(name="edge", status=Status.WARN, reason="slow", facts=facts(number)),),
        )
        for number in range(2 * TOGETHER + 7)
    ]
    assert [evidence.add(*item) for item in items] == list(range(len(items)))
    order = list(range(len(items)))
    random.Random(1).shuffle(order)
    for number in [*order[:20], *range(len(items))]:
        found = evidence.get(number)
        assert all(type(finding) is Finding for finding in found[0])
        assert to_json(found) == to_json(items[number])


def test_many_checks_are_kept_small() -> None:
    """Of thousands of checks like one another, findings and facts take some fifty bytes each; the results a little."""
    builder = ReportBuilder()
    count = 40 * TOGETHER
    builder.add(started(*(info(f"c{number}") for number in range(count))))
    for number in range(TOGETHER):
        builder.add(ended(number))
    tracemalloc.start()
    try:
        evidence = Evidence()
        for number in range(count):
            event = ended(number)
            evidence.add(event.findings, event.facts)
        kept, _ = tracemalloc.get_traced_memory()
        assert kept / count < EVENT_BYTES
        for number in range(TOGETHER, count):
            builder.add(ended(number))
        both, _ = tracemalloc.get_traced_memory()
        assert (both - kept) / count < EVENT_BYTES + 300
    finally:
        tracemalloc.stop()
    assert len(builder.build().checks) == count


def test_a_report_of_many_is_a_value_like_any_other() -> None:
    """Its checks equal those that are read back from JSON, can be copied with changes, and have no other attributes."""
    count = TOGETHER + 3
    report = build_report([started(*(info(f"c{n}") for n in range(count + 1))), *map(ended, range(count)), END])
    assert parse(FORMATS.get("json").text(report, View())).checks == report.checks
    first = report.checks[0]
    assert (first.facts, first.findings, first.vantage) == (facts(0), ended(0).findings, ended(0).vantage)
    changed = replace(first, facts={"status": 500})
    assert (changed.facts, changed.title) == ({"status": 500}, first.title)
    assert changed != first
    assert not hasattr(first, "colour")
    assert report.checks[-1].reason == "not reached"
    assert (report.checks[-1].facts, report.checks[-1].findings) == ({}, ())


def test_what_is_of_no_check_of_the_plan_is_left_out() -> None:
    """A journal that somebody pieced together does not break the report."""
    report = build_report([started(info("c0")), ended(0), ended(1), END])
    assert [check.id for check in report.checks] == [info("c0").id]
