"""The spans of a run, by the in-memory exporter of the SDK."""

from __future__ import annotations

import re

from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode

from tests.report.runs import CASES, START, Script
from xnai_validate.model.json import JsonObject
from xnai_validate.model.results import events as ev
from xnai_validate.model.results.status import Status
from xnai_validate.telemetry.run_trace import ATTRIBUTES, TEXT_CAP, RunTrace


def spans(script: Script) -> dict[str, ReadableSpan]:
    """Return the spans of a run, by name."""
    exporter = InMemorySpanExporter()
    trace = RunTrace(exporter)
    for event in script.events():
        trace.take(event)
    assert trace.close()
    return {span.name: span for span in exporter.get_finished_spans()}


def test_a_span_for_the_run_and_one_for_each_check() -> None:
    """With kind, target, status and reason, the times of the events, and the run's span as parent."""
    script = Script("Run", "preflight")
    script.check("a/b:good", "Good", facts={"total_ms": 1.5})
    script.check("a/b:bad", "Bad", Status.FAIL, reason="expected 200, got 500")
    script.check("a/b:left", "Left", Status.SKIP, reason="not configured")
    found = spans(script)
    root = found["run preflight"]
    assert set(found) == {"run preflight", "a/b:good", "a/b:bad", "a/b:left"}
    assert root.parent is None
    assert root.status.status_code is StatusCode.ERROR
    assert abs((root.start_time or 0) / 1e9 - START) < 1
    for name in ("a/b:good", "a/b:bad", "a/b:left"):
        span = found[name]
        assert span.parent is not None
        assert span.parent.span_id == (root.context.span_id if root.context else None)
    good, bad, left = (found[name] for name in ("a/b:good", "a/b:bad", "a/b:left"))
    assert good.attributes is not None
    assert good.attributes["xnai.check.kind"] == "http.request"
    assert good.attributes["xnai.check.target"] == "api"
    assert good.attributes["xnai.fact.total_ms"] == 1.5
    assert good.status.status_code is StatusCode.OK
    assert (bad.status.status_code, bad.status.description) == (StatusCode.ERROR, "expected 200, got 500")
    assert left.status.status_code is StatusCode.UNSET
    assert left.attributes is not None
    assert left.attributes["xnai.check.reason"] == "not configured"


def test_attempts_and_faults_are_events() -> None:
    """Those of a check are events of its span."""
    exporter = InMemorySpanExporter()
    trace = RunTrace(exporter)
    script = Script("Run", "x")
    script.check("a/b:c", "Check")
    started, *_, ended = script.events()
    for event in (
        started,
        ev.CheckStarted(seq=2, at=START + 1, id="a/b:c"),
        ev.FaultInjected(seq=3, at=START + 2, fault="process.pause", target="redis", undo="u", check="a/b:c"),
        ev.AttemptFinished(seq=4, at=START + 3, attempt=1, held=False, reason="no answer", elapsed_ms=5.0, id="a/b:c"),
        ev.FaultReverted(seq=5, at=START + 4, undo="u", proven=True),
        ev.CheckFinished(seq=6, at=START + 5, status=Status.FAIL, id="a/b:c"),
        ended,
    ):
        trace.take(event)
    trace.close()
    span = {span.name: span for span in exporter.get_finished_spans()}["a/b:c"]
    assert [event.name for event in span.events] == ["fault injected", "attempt", "fault reverted"]
    assert dict(span.events[1].attributes or {}) == {"attempt": 1, "held": False, "reason": "no answer"}
    assert ((span.end_time or 0) - (span.start_time or 0)) / 1e9 == 4


def test_attributes_are_bounded() -> None:
    """Many facts, long texts and large integers do not make a span large, nor break its export."""
    facts: JsonObject = {"text": "x" * 10_000, "huge": 2**80, "map": {str(n): n for n in range(500)}, "list": [1]}
    script = Script("Run", "x")
    script.check("a/b:c", "Check", facts=facts)
    attributes = spans(script)["a/b:c"].attributes or {}
    assert len(attributes) <= ATTRIBUTES
    assert max(len(str(value)) for value in attributes.values()) <= TEXT_CAP
    assert attributes["xnai.check.id"] == "a/b:c"


def test_every_fact_is_an_attribute() -> None:
    """Numbers, flags and texts as they are, lists and what is nested as JSON; a null fact is left out."""
    facts: JsonObject = {
        "status": 503,
        "ok": False,
        "counts": {"200": 7, "503": 1},
        "names": ["a", "ü"],
        "json": {"redis": {"up": False}, "llm": None},
        "first_token_ms": None,
    }
    script = Script("Run", "x")
    script.check("a/b:c", "Check", facts=facts)
    attributes = spans(script)["a/b:c"].attributes or {}
    assert {name: value for name, value in attributes.items() if name.startswith("xnai.fact.")} == {
        "xnai.fact.status": 503,
        "xnai.fact.ok": False,
        "xnai.fact.counts.200": 7,
        "xnai.fact.counts.503": 1,
        "xnai.fact.names": '["a", "ü"]',
        "xnai.fact.json.redis": '{"up": false}',
    }


def test_every_run_has_a_span_for_every_check() -> None:
    """Whatever happened in it; a run that was killed too."""
    for _, events in CASES.values():
        exporter = InMemorySpanExporter()
        trace = RunTrace(exporter)
        ended = 0
        for event in events():
            trace.take(event)
            ended += isinstance(event, ev.CheckFinished)
        trace.close()
        assert len(exporter.get_finished_spans()) >= ended + 1


def test_the_header_names_the_span_before_it_exists() -> None:
    """W3C Trace Context: version, trace id, span id, sampled; the span of the check has that id."""
    exporter = InMemorySpanExporter()
    trace = RunTrace(exporter)
    header = trace.traceparent("a/b:c")
    assert re.fullmatch(r"00-[0-9a-f]{32}-[0-9a-f]{16}-01", header)
    script = Script("Run", "x")
    script.check("a/b:c", "Check")
    for event in script.events():
        trace.take(event)
    trace.close()
    span = {span.name: span for span in exporter.get_finished_spans()}["a/b:c"]
    assert span.context is not None
    assert header == f"00-{span.context.trace_id:032x}-{span.context.span_id:016x}-01"
