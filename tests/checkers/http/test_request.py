"""`http.request` against real servers."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import ValidationError

from tests.checkers.beside import tcp_server
from tests.context import observe
from tests.scripted import Line, ReceivedRequest, Scripted, ok, raw_response, scripted
from xnai_validate.checkers.http._models import Request
from xnai_validate.errors import NotApplicable, Unmeasurable
from xnai_validate.kit import Observed, Target
from xnai_validate.model.source_location import InvalidConfig

HEALTH = {"status": "healthy", "version": "0.1.0", "memory_gb": 1.5}


async def api(request: ReceivedRequest, line: Line) -> bool:
    """A small API below /xnai/api/v1, with `/docs` at the root."""
    path = request.path.partition("?")[0]
    if path == "/xnai/api/v1/health":
        kind = "Content-Type: application/json; charset=UTF-8"
        return await ok(json.dumps(HEALTH).encode(), kind, "X-Request-ID: req_1")(request, line)
    if path == "/docs":
        return await ok("<p>dök</p>".encode("latin-1"), "Content-Type: text/html; charset=latin-1")(request, line)
    if path == "/xnai/api/v1/echo":
        return await ok(request.body, f"X-Type: {request.headers.get('content-type')}")(request, line)
    return await ok(b'{"error_code": "not_found_404"}', status="404 Not Found")(request, line)


@pytest.fixture(name="server", scope="module")
def _server() -> Iterator[Scripted]:
    with scripted(api) as server:
        yield server


@pytest.fixture(name="target")
def _target(server: Scripted) -> Target:
    return Target("api", server.url("/xnai/api/v1"))


def test_an_answer_becomes_facts_that_rules_can_name(target: Target) -> None:
    """Status, headers, media type, text and JSON of one answer; the kind's own rules hold."""
    seen = observe(
        "http.request",
        target,
        path="/health",
        expect={"json": {"$.status": "healthy"}, "headers": {"X-Request-ID": "req_1"}},
    )
    assert seen.held
    facts = seen.facts
    assert (facts["status"], facts["reason"], facts["http_version"]) == (200, "OK", "1.1")
    assert (facts["content_type"], facts["charset"]) == ("application/json", "utf-8")
    assert facts["json"] == HEALTH
    assert facts["json_valid"] is True
    assert facts["size_bytes"] == len(json.dumps(HEALTH))
    assert facts["first_byte_ms"] <= facts["total_ms"] == facts["slowest_ms"] == facts["median_ms"]
    assert (facts["requests"], facts["failed_requests"], facts["statuses"]) == (1, 0, {"200": 1})


@pytest.mark.parametrize(
    ("body", "keys"),
    [
        ('{"a": 1, "a": 2}', ["a"]),
        ('{"a": 1, "a": 1}', []),
        ('[{"x": {"b": 1, "b": true}}]', ["b"]),
        ("not json", None),
    ],
)
def test_duplicate_keys_that_disagree_are_a_fact(target: Target, body: str, keys: list[str] | None) -> None:
    """Two values under one key are named, wherever the object stands; the same value twice is harmless."""
    seen = observe("http.request", target, method="POST", path="/echo", body=body)
    assert seen.facts["duplicate_keys"] == keys


def test_a_status_must_be_200_by_default(target: Target) -> None:
    """Without a word about the status a 404 does not hold; with one it does, and its body is still a fact."""
    seen = observe("http.request", target, path="/nowhere")
    assert [(f.fact, f.held) for f in seen.findings] == [("error", True), ("status", False)]
    assert observe("http.request", target, path="/nowhere", expect={"status": 404}).held
    assert seen.facts["json"] == {"error_code": "not_found_404"}


def test_the_root_and_other_charsets(target: Target) -> None:
    """`root` leaves the prefix out, and text is decoded with the charset of the content type."""
    facts = observe("http.request", target, path="/docs", root=True).facts
    assert (facts["text"], facts["charset"], facts["content_type"]) == ("<p>dök</p>", "latin-1", "text/html")
    assert (facts["json"], facts["json_valid"]) == (None, False)


@pytest.mark.parametrize(
    ("with_", "body", "kind"),
    [
        ({"json": {"query": "ä"}}, '{"query": "ä"}', "application/json"),
        ({"json": None}, "null", "application/json"),
        ({"body": "plain ä"}, "plain ä", "text/plain; charset=utf-8"),
        ({"form": {"a": "b c", "d": True}}, "a=b+c&d=true", "application/x-www-form-urlencoded"),
        ({"body": "<x/>", "headers": {"content-type": "text/xml"}}, "<x/>", "text/xml"),
        ({}, "", "None"),
    ],
)
def test_bodies_are_sent_as_their_kind_wants(target: Target, with_: dict[str, Any], body: str, kind: str) -> None:
    """JSON, text and forms carry their content type unless the headers give one."""
    facts = observe("http.request", target, method="post", path="/echo", **with_).facts
    assert facts["text"] == body
    assert facts["headers"]["x-type"] == kind


def test_query_parameters_are_added(target: Target, server: Scripted) -> None:
    """Booleans are true and false, lists repeat their name, and a query in the path stays."""
    observe("http.request", target, path="/health?x=1", query={"q": "a b", "deep": True, "n": [1, 2]})
    assert server.requests[-1].path == "/xnai/api/v1/health?x=1&q=a+b&deep=true&n=1&n=2"


def test_a_request_has_one_body() -> None:
    """Two bodies are refused when the suite is loaded."""
    with pytest.raises(ValidationError, match="one body"):
        Request.model_validate({"json": {}, "body": ""})


def test_no_answer_is_a_fact(target: Target) -> None:
    """A server that is silent or gone gives an error and nulls, and the error leads the findings."""

    async def hush(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()

    with tcp_server(hush) as port:
        silent = Target("api", f"http://127.0.0.1:{port}")
        seen = observe("http.request", silent, timeout="0.2s")
    gone = observe("http.request", silent)
    assert (seen.facts["error"], gone.facts["error"]) == ("timeout", "refused")
    assert seen.findings[0].fact == "error"
    assert not seen.findings[0].held
    assert [seen.facts[name] for name in ("status", "headers", "json", "total_ms", "slowest_ms")] == [None] * 5
    assert (seen.facts["requests"], seen.facts["failed_requests"]) == (1, 1)


def test_a_body_over_the_cap_is_an_error_that_keeps_its_beginning() -> None:
    """What was read until the bound is there to be looked at."""
    with scripted(ok(b"x" * 5000)) as server:
        facts = observe("http.request", Target("api", server.url()), body_cap="1KiB").facts
    assert (facts["error"], facts["status"], facts["truncated"]) == ("too_large", 200, True)
    assert facts["size_bytes"] == 1024


@pytest.mark.parametrize("body", [b'{"a": NaN}', b"[" * 100_000, b'{"a": 1', b"\xff", b""])
def test_what_is_not_json_is_not_valid(body: bytes) -> None:
    """NaN, endless nesting and broken text are not JSON documents, and never an exception."""
    with scripted(ok(body)) as server:
        facts = observe("http.request", Target("api", server.url())).facts
    assert (facts["json"], facts["json_valid"], facts["error"]) == (None, False, None)


def _flaky(at: int) -> Any:
    counted = [0]

    async def script(request: ReceivedRequest, line: Line) -> bool:
        counted[0] += 1
        return await ok(b"", status="503 Busy" if counted[0] == at else "200 OK")(request, line)

    return script


def test_one_bad_answer_among_many_is_not_lost() -> None:
    """With `repeat` the facts show the highest status, and the statuses are counted."""
    with scripted(_flaky(4)) as server:
        seen = observe("http.request", Target("api", server.url()), repeat=10)
    assert not seen.held
    assert seen.facts["status"] == 503
    assert (seen.facts["requests"], seen.facts["statuses"]) == (10, {"200": 9, "503": 1})
    assert seen.facts["median_ms"] <= seen.facts["slowest_ms"]


def test_an_error_among_many_is_not_lost() -> None:
    """With `repeat` the first error is shown, whatever came after it."""
    counted = [0]

    async def script(request: ReceivedRequest, line: Line) -> bool:
        counted[0] += 1
        return await (raw_response(b"garbage\r\n\r\n") if counted[0] == 2 else ok())(request, line)

    with scripted(script) as server:
        facts = observe("http.request", Target("api", server.url()), repeat=5).facts
    assert (facts["error"], facts["failed_requests"], facts["statuses"]) == ("protocol", 1, {"200": 4})


def test_concurrent_requests_are_under_way_together() -> None:
    """Ten requests that each wait for all others are answered only if all are made at once."""
    waiting: list[asyncio.Event] = []

    async def script(request: ReceivedRequest, line: Line) -> bool:
        mine = asyncio.Event()
        waiting.append(mine)
        if len(waiting) == 10:
            for event in waiting:
                event.set()
        await mine.wait()
        return await ok()(request, line)

    with scripted(script) as server:
        facts = observe("http.request", Target("api", server.url()), repeat=10, concurrent=10).facts
    assert (facts["statuses"], facts["failed_requests"]) == ({"200": 10}, 0)


def test_time_is_measured_where_it_is_spent() -> None:
    """A server that thinks before it answers shows in first_byte_ms, one that dawdles over the body in total_ms."""

    async def script(request: ReceivedRequest, line: Line) -> bool:
        await asyncio.sleep(0.15)
        await line.send(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n")
        await asyncio.sleep(0.15)
        await line.send(b"x")
        return True

    with scripted(script) as server:
        started = time.perf_counter()
        facts = observe("http.request", Target("api", server.url()), fresh=True).facts
        elapsed_ms = (time.perf_counter() - started) * 1000
    assert facts["first_byte_ms"] >= facts["connect_ms"] + 140
    assert facts["first_byte_ms"] < facts["total_ms"] <= elapsed_ms
    assert facts["total_ms"] >= 290


def test_redirections_are_facts() -> None:
    """A redirection that is not followed is the answer; one that is followed is listed."""

    async def script(request: ReceivedRequest, line: Line) -> bool:
        if request.path == "/":
            return await ok(b"", "Location: /login?next=/", status="302 Found")(request, line)
        return await ok(b"login")(request, line)

    with scripted(script) as server:
        target = Target("ui", server.url().replace("http://", "http://me:secret@"))
        assert observe("http.request", target, path="/").facts["status"] == 302
        seen: Observed = observe("http.request", target, path="/", redirects=3)
    assert seen.held
    assert seen.facts["redirects"] == [server.url("/login?next=/")]
    assert seen.facts["url"] == server.url("/login?next=/")


def test_what_cannot_be_sent_is_no_verdict_on_the_server(target: Target) -> None:
    """A target without url is skipped; a header that HTTP forbids is refused when the suite is loaded."""
    with pytest.raises(NotApplicable):
        observe("http.request", Target("worker", pid=1))
    with pytest.raises(InvalidConfig, match="not a name of a header"):
        observe("http.request", target, headers={"a b": "c"}, repeat=4, concurrent=2)
    with pytest.raises(Unmeasurable, match="HTTP does not allow"):
        observe("http.request", target, headers={"Content-Length": "7"}, repeat=4, concurrent=2)


@pytest.mark.parametrize(
    ("cookies", "place", "why"),
    [
        ({"a;b": "x"}, "cookies.a;b", "no semicolon"),
        ({"a=b": "x"}, "cookies.a=b", "no semicolon, equals sign"),
        ({"": "x"}, "cookies", "the name of a cookie"),
        ({" a": "x"}, "cookies", "blank at its ends"),
        ({"a\r\nb": "x"}, "cookies", "line break"),
        ({"sid": "x; admin=1"}, "cookies.sid", "the value of a cookie"),
        ({"sid": "x\n"}, "cookies.sid", "line break"),
    ],
)
def test_a_cookie_that_would_be_another_is_refused(
    target: Target, cookies: dict[str, str], place: str, why: str
) -> None:
    """Servers would read two cookies, or one of another name (RFC 6265 section 5.4); the value is not quoted."""
    with pytest.raises(InvalidConfig) as caught:
        observe("http.request", target, path="/echo", cookies=cookies)
    (problem,) = caught.value.problems
    assert why in problem.message
    assert place in problem.message
    assert "admin" not in problem.message
