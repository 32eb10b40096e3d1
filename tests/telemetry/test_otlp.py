"""`run --otlp`: a real receiver parses what is exported, and the stack gets the trace context of each check."""

from __future__ import annotations

import gzip
import json
import logging
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from tests.cli.conftest import Place, place, site
from tests.serving import Quiet, serving
from xnai_validate.telemetry.otlp import traces_url

__all__ = ["place", "site"]  # the fixtures


@dataclass
class Collector:
    """A running collector."""

    url: str
    paths: list[str] = field(default_factory=list)
    spans: list[Span] = field(default_factory=list)
    status: int = 200


@pytest.fixture
def collector() -> Iterator[Collector]:
    """A server that parses the protobuf of OTLP."""
    found = Collector("")

    class Collecting(Quiet, BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            body = gzip.decompress(body) if self.headers.get("Content-Encoding") == "gzip" else body
            assert self.headers["Content-Type"] == "application/x-protobuf"
            request = ExportTraceServiceRequest.FromString(body)
            found.paths.append(self.path)
            found.spans += [
                span for resource in request.resource_spans for scope in resource.scope_spans for span in scope.spans
            ]
            self.send_response(found.status)
            self.send_header("Content-Length", "0")
            self.end_headers()

    with serving(Collecting) as found.url:
        yield found


@pytest.mark.parametrize(
    ("url", "traces"),
    [
        ("http://127.0.0.1:4318", "http://127.0.0.1:4318/v1/traces"),
        ("http://127.0.0.1:4318/", "http://127.0.0.1:4318/v1/traces"),
        ("https://otlp.example/custom/v1/traces?x=1", "https://otlp.example/custom/v1/traces?x=1"),
    ],
)
def test_a_collector_without_a_path_has_the_default(url: str, traces: str) -> None:
    """A path that is given stays."""
    assert traces_url(url) == traces


def test_a_run_is_exported_and_its_requests_carry_the_trace(place: Place, collector: Collector, tmp_path: Path) -> None:
    """Each check has its span, whose id its requests carry; the failing request shows the header as evidence."""
    result = place.run("bad", "--otlp", collector.url, "-o", "r.json")
    assert result.exit_code == 1
    assert set(collector.paths) == {"/v1/traces"}
    spans = {span.name: span for span in collector.spans}
    assert set(spans) == {"run bad", "site/web:up", "site/web:json", "site/broken:boom", "site/broken:after"}
    boom = spans["site/broken:boom"]
    assert boom.status.code == boom.status.STATUS_CODE_ERROR
    assert {item.key: item.value.int_value for item in boom.attributes}["xnai.fact.status"] == 500
    assert len({span.trace_id for span in spans.values()}) == 1
    carried = {f"00-{span.trace_id.hex()}-{span.span_id.hex()}-01": span.name for span in spans.values()}
    assert sorted(carried[header or ""] for header in place.site.traces) == [
        "site/broken:boom",
        "site/web:json",
        "site/web:up",
    ]
    checks = {check["id"]: check for check in json.loads((tmp_path / "r.json").read_text())["checks"]}
    [exchange] = checks["site/broken:boom"]["exchanges"]
    assert carried[exchange["request_headers"]["traceparent"]] == "site/broken:boom"


def test_without_the_option_no_header_is_sent(place: Place) -> None:
    """A run without --otlp changes no request, also after one with it."""
    place.run("good")
    assert set(place.site.traces) == {None}


@pytest.mark.parametrize("status", [400, None])
def test_a_collector_that_refuses_is_a_notice(place: Place, collector: Collector, status: int | None) -> None:
    """The exit code is that of the stack, nothing of the SDK goes to stderr, and the next run sends no header."""
    collector.status = status or 200
    url = collector.url if status else "http://127.0.0.1:1"
    result = place.run("good", "--otlp", url)
    assert result.exit_code == 0, result.output
    assert "--otlp: 3 spans were not accepted" in result.stderr
    assert "Traceback" not in result.stderr
    assert logging.getLogger("opentelemetry").propagate
    place.site.traces.clear()
    place.run("good")
    assert set(place.site.traces) == {None}
