"""`metrics.samples` against expositions of Prometheus' own client, and against broken ones."""

from __future__ import annotations

import asyncio

import pytest
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.openmetrics import exposition

from tests.context import check_context, observe
from tests.scripted import Line, ReceivedRequest, ok, scripted
from xnai_validate.engine.attempts.attempt import measure, values_of
from xnai_validate.errors import NotApplicable
from xnai_validate.kit import JsonObject, Observed, Target

TEXT = "Content-Type: text/plain; version=0.0.4; charset=utf-8"
OPEN = "Content-Type: application/openmetrics-text; version=1.0.0; charset=utf-8"


def _registry() -> CollectorRegistry:
    registry = CollectorRegistry()
    errors = Counter("xnai_errors_total", "Errors", ["error_type", "component"], registry=registry)
    errors.labels("timeout", "llm").inc(3)
    errors.labels('a "quoted"\n', "rag").inc(2)
    Counter("xnai_requests_total", "Requests", registry=registry).inc(7)
    Counter("xnai_unused_total", "Nothing yet", ["kind"], registry=registry)
    Gauge("xnai_active_sessions", "Sessions", registry=registry).set(4)
    latency = Histogram("xnai_response_latency_ms", "Latency", ["endpoint"], registry=registry, buckets=(10, 100))
    latency.labels("/query").observe(50)
    latency.labels("/stream").observe(500)
    return registry


def scrape(
    body: bytes, kind: str = TEXT, *, expect: JsonObject | None = None, wanted: tuple[str, ...] = ()
) -> Observed:
    """The facts of a body served as metrics."""
    with scripted(ok(body, kind)) as server:
        return observe("metrics.samples", Target("metrics", server.url()), expect=expect, wanted=list(wanted))


def test_every_sample_is_named_and_summed() -> None:
    """A name is the sum over its labels, and each single sample has a key of its own."""
    seen = scrape(
        generate_latest(_registry()),
        expect={"families": {"xnai_requests_total": "counter"}, "samples": {"xnai_requests_total": 7}},
    )
    assert seen.held
    facts = seen.facts
    assert facts["samples"]["xnai_errors_total"] == 5
    assert facts["samples"]['xnai_errors_total{component="llm",error_type="timeout"}'] == 3
    assert facts["samples"]['xnai_errors_total{component="rag",error_type="a \\"quoted\\"\\n"}'] == 2
    assert facts["samples"]['xnai_response_latency_ms_bucket{endpoint="/query",le="100.0"}'] == 1
    assert facts["families"]["xnai_response_latency_ms"] == "histogram"
    assert facts["content_type"] == "text/plain"


def test_label_sets_show_labels_without_bound() -> None:
    """Buckets of one histogram are one set of labels; every endpoint is another."""
    sets = scrape(generate_latest(_registry())).facts["label_sets"]
    assert (sets["xnai_response_latency_ms"], sets["xnai_errors_total"], sets["xnai_active_sessions"]) == (2, 2, 1)
    assert sets["xnai_unused_total"] == 0


def test_wanted_names_are_found_or_missing() -> None:
    """Families and samples both count as exposed; values are those of names that have samples."""
    wanted = ("xnai_requests_total", "xnai_response_latency_ms", "xnai_unused_total", "xnai_active_sessions", "xnai_no")
    seen = scrape(generate_latest(_registry()), wanted=wanted)
    assert seen.facts["missing"] == ["xnai_no"]
    assert seen.facts["values"] == {"xnai_requests_total": 7, "xnai_response_latency_ms": 2, "xnai_active_sessions": 4}
    assert not seen.held


def test_openmetrics_is_parsed_by_its_own_rules() -> None:
    """The content type decides: without `# EOF` the same text is not OpenMetrics."""
    body = exposition.generate_latest(_registry())  # type: ignore[no-untyped-call]
    whole = scrape(body, OPEN, wanted=("xnai_requests",))
    assert whole.held
    assert whole.facts["families"]["xnai_requests"] == "counter"
    assert whole.facts["values"] == {"xnai_requests": 7}
    cut = scrape(body.replace(b"# EOF\n", b""), OPEN)
    assert cut.facts["valid"] is False
    assert "EOF" in cut.facts["problem"]


@pytest.mark.parametrize(
    "body",
    [
        b"<html><body>metrics</body></html>",
        b"xnai_requests_total seven\n",
        b'xnai_requests_total{a="b 1\n',
        b"# TYPE x nonsense\nx 1\n",
        b"\xff\xfe",
        b"",
    ],
)
def test_what_is_no_exposition_is_not_valid(body: bytes) -> None:
    """Pages, broken lines and an empty body are reported as such and never end in an exception."""
    seen = scrape(body)
    assert seen.facts["valid"] is False
    assert seen.facts["problem"]
    assert not seen.held


def test_samples_are_bounded() -> None:
    """Ten thousand label sets are counted and summed; the first five thousand are kept one by one."""
    facts = scrape(b"".join(b'x{n="%d"} 1\n' % n for n in range(10_000))).facts
    assert (facts["sample_count"], facts["samples"]["x"], len(facts["samples"])) == (10_000, 10_000, 5_001)
    assert facts["label_sets"]["x"] == 10_000


def test_metrics_that_cannot_be_had_are_facts() -> None:
    """A status other than 200 and a closed port leave the rest null."""
    with scripted(ok(status="404 Not Found")) as server:
        absent = observe("metrics.samples", Target("metrics", server.url())).facts
    closed = observe("metrics.samples", Target("metrics", server.url())).facts
    assert (absent["status"], absent["valid"], absent["samples"]) == (404, None, None)
    assert (closed["error"], closed["status"]) == ("refused", None)
    with pytest.raises(NotApplicable):
        observe("metrics.samples", Target("worker", pid=1))


def test_a_flood_of_series_ends_in_time_and_lets_others_run() -> None:
    """A large exposition is parsed aside: within the time limit it is read or given up, and other tasks go on."""
    body = b"".join(b'm{a="%d"} 1\n' % number for number in range(190_000))

    async def run(target: Target) -> tuple[object, int]:
        turns = 0

        async def other() -> None:
            nonlocal turns
            while True:
                turns += 1
                await asyncio.sleep(0.02)

        async with check_context("metrics.samples", target, timeout="700ms") as ctx:
            task = asyncio.create_task(other())
            facts = await measure(ctx.measurement, ctx)
            task.cancel()
        return values_of(facts)["error"], turns

    with scripted(ok(body)) as server:
        error, turns = asyncio.run(run(Target("metrics", server.url())))
    assert error in (None, "timeout")
    assert turns > 5


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        (b"m{" + b",".join(b'a%d=""' % n for n in range(20_000)) + b"} 1\n", "line 1 has more than"),
        (b"a 1\n" * 200_001, "more than 200000 lines"),
    ],
)
def test_absurd_expositions_are_not_valid(body: bytes, problem: str) -> None:
    """What would take quadratic time or all memory is refused, and reported."""
    with scripted(ok(body)) as server:
        facts = observe("metrics.samples", Target("metrics", server.url()), timeout="60s").facts
    assert (facts["error"], facts["valid"]) == (None, False)
    assert problem in facts["problem"]


def test_a_counter_without_total_moves_under_its_own_name() -> None:
    """A counter that moves by one for each piece of work has moved by five, and a mistyped name by no number."""
    served = 0

    async def count(request: ReceivedRequest, line: Line) -> bool:
        nonlocal served
        served += request.path == "/work"
        page = b"# TYPE nginx_connections_accepted counter\nnginx_connections_accepted %d\n" % (7 + served)
        return await ok(page, TEXT)(request, line)

    def watch(name: str) -> JsonObject:
        return {"kind": "metrics.samples", "target": "metrics", "fact": "samples", "path": name}

    with scripted(count) as server:
        seen = observe(
            "flow.delta",
            Target("metrics", server.url()),
            watch={"right": watch("nginx_connections_accepted"), "mistyped": watch("nginx_conections_accepted")},
            during=[{"kind": "http.request", "target": "metrics", "with": {"path": "/work"}}],
            times=5,
        )
    assert seen.facts["before"] == {"right": 7, "mistyped": None}
    assert seen.facts["moved"] == {"right": 5}
