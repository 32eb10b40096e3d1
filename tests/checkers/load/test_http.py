"""`load.http` against scripted servers: what is counted, and from when latency counts."""

from __future__ import annotations

import asyncio
import json
import socket
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from tests.certificates import authority
from tests.context import beside, call_checker, check_context, observe
from tests.scripted import Line, ReceivedRequest, Scripted, ok, raw_response, scripted
from xnai_validate.kit import Observed, Target, Tls, Unmeasurable
from xnai_validate.model.histogram import Histogram
from xnai_validate.wire.net.resolve import Address

pytestmark = pytest.mark.usefixtures("event_loop_kind")
Script = Callable[[ReceivedRequest, Line], Awaitable[bool]]
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"
FAIL = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n"


def target(server: Scripted) -> Target:
    return Target("api", server.url())


def load(where: Scripted | Target, *, lasts: str | None = "500ms", **with_: Any) -> Observed:
    if lasts is not None:
        with_["for"] = lasts
    return observe("load.http", where if isinstance(where, Target) else target(where), **with_)


def after(seconds: float) -> Script:
    """Answers, but not at once."""

    async def script(request: ReceivedRequest, line: Line) -> bool:
        await asyncio.sleep(seconds)
        await line.send(OK)
        return True

    return script


def counts(facts: Any) -> tuple[int, ...]:
    """Planned, sent, answered in whole, not sent, errors."""
    names = ("planned_count", "sent_count", "completed_count", "not_sent_count", "error_count")
    return tuple(facts[name] for name in names)


def test_an_open_load_sends_exactly_what_is_planned() -> None:
    """100 a second for half a second are 50, also for the server, however many connections that takes."""
    with scripted(ok(b"hi")) as server:
        seen = load(server, arrivals={"rate": 100}, path="/x", query={"a": True})
        assert len(server.requests) == 50
        assert {request.path for request in server.requests} == {"/x?a=true"}
    facts = seen.facts
    assert counts(facts) == (50, 50, 50, 0, 0)
    assert facts["statuses"] == {"200": 50}
    assert (facts["error_ratio"], facts["error_kinds"], facts["error_detail"]) == (0, {}, None)
    assert facts["elapsed_ms"] >= 500
    assert 50 < facts["throughput_rps"] <= 100
    assert 0 < facts["p50_ms"] <= facts["p99_ms"] <= facts["max_ms"]
    assert facts["connection_count"] == server.connections


def test_checks_that_share_a_load_are_measured_once() -> None:
    """Two checks of one shared load get the same figures; a check that measures again gets new ones."""
    with_: dict[str, Any] = {"path": "/x", "arrivals": {"rate": 50}, "for": "200ms", "shared": True}

    async def figures(where: Target) -> tuple[Any, Any, Any]:
        async with check_context("load.http", where, **with_) as ctx:
            other = beside(ctx, "load.http", with_)
            first, second = await asyncio.gather(call_checker(ctx), call_checker(other))
            return first, second, await call_checker(ctx)

    with scripted(ok(b"hi")) as server:
        first, second, again = asyncio.run(figures(target(server)))
        assert len(server.requests) == 20
    assert first is second
    assert again is not first


def test_loads_that_are_not_shared_are_measured_each() -> None:
    """Without `shared` the same parameters are another load, as for work whose effect is watched."""
    with_: dict[str, Any] = {"path": "/x", "arrivals": {"rate": 50}, "for": "200ms"}

    async def run(where: Target) -> None:
        async with check_context("load.http", where, **with_) as ctx:
            await call_checker(ctx)
            await call_checker(beside(ctx, "load.http", with_))

    with scripted(ok(b"hi")) as server:
        asyncio.run(run(target(server)))
        assert len(server.requests) == 20


def test_steps_and_ramps_have_their_numbers() -> None:
    """20 a second for half a second, then up to 100 in as long: 10 and 30."""
    stages = [{"rate": 20, "for": "500ms"}, {"from": 20, "to": 100, "for": "500ms"}]
    with scripted(ok(b"hi")) as server:
        facts = load(server, lasts=None, arrivals={"stages": stages}).facts
        assert len(server.requests) == 40
    assert counts(facts) == (40, 40, 40, 0, 0)


def test_a_warm_up_is_in_no_figure() -> None:
    """The server is asked during it, and answers slowly; the figures know nothing of that."""
    begun = time.monotonic()

    async def script(request: ReceivedRequest, line: Line) -> bool:
        await asyncio.sleep(0.15 if time.monotonic() - begun < 0.3 else 0)
        await line.send(OK)
        return True

    with scripted(script) as server:
        begun = time.monotonic() + 0.05
        facts = load(server, arrivals={"rate": 40}, warmup="600ms").facts
        assert len(server.requests) == 44
    assert counts(facts) == (20, 20, 20, 0, 0)
    assert facts["p50_ms"] < 140


def test_a_closed_loop_asks_as_fast_as_it_is_answered() -> None:
    """Five callers with answers of 50 ms ask no more than ten times each in half a second, on a connection each."""
    with scripted(after(0.05)) as server:
        facts = load(server, callers=5).facts
        received, connections = len(server.requests), server.connections
    planned, sent, completed, not_sent, errors = counts(facts)
    assert planned == sent == completed == received
    assert 5 <= received <= 55
    assert (not_sent, errors, connections, facts["connection_count"]) == (0, 0, 5, 5)
    assert facts["p50_ms"] == pytest.approx(facts["service_p50_ms"], rel=0.05)
    assert facts["p50_ms"] >= 50


def test_a_closed_loop_has_a_warm_up_too() -> None:
    """What was begun in it is not counted."""
    with scripted(after(0.02)) as server:
        facts = load(server, lasts="200ms", callers=2, warmup="200ms").facts
        assert facts["completed_count"] < len(server.requests)
    assert facts["completed_count"] <= 22


def test_requests_that_take_too_long_are_errors_and_count_with_the_limit() -> None:
    """Every second request is never answered: half are time-outs, and percentiles are not better for it."""

    async def script(request: ReceivedRequest, line: Line) -> bool:
        if request.connection % 2:
            await line.send(OK)
            return False
        await asyncio.sleep(60)
        return False

    with scripted(script) as server:
        seen = load(server, arrivals={"rate": 40}, timeout="300ms", stop_at=None, headers={"Connection": "close"})
    facts = seen.facts
    assert counts(facts) == (20, 20, 10, 0, 10)
    assert facts["error_kinds"] == {"timeout": 10}
    assert facts["error_ratio"] == 0.5
    assert facts["error_detail"] == "no whole answer within 0.3 s"
    assert facts["p95_ms"] >= 300 * 0.99
    assert facts["max_ms"] >= 300
    assert [finding.fact for finding in seen.findings if not finding.held][:1] == ["error_ratio"]


def test_a_stall_is_seen_by_all_who_came_meanwhile() -> None:
    """The server stands still for half a second in two: a quarter of the arrivals meet it, though few were under way.

    A client that waits for its answer before it asks again would meet it once (coordinated omission).
    """
    begun = time.monotonic()

    async def script(request: ReceivedRequest, line: Line) -> bool:
        since = time.monotonic() - begun
        await asyncio.sleep(1.5 - since if 1.0 <= since < 1.5 else 0)
        await line.send(OK)
        return True

    with scripted(script) as server:
        begun = time.monotonic()
        facts = load(server, lasts="2s", arrivals={"rate": 50}, connections=1).facts
    assert counts(facts) == (100, 100, 100, 0, 0)
    assert facts["p90_ms"] > 200
    assert facts["p99_ms"] > 400
    assert facts["service_p50_ms"] < 100
    assert facts["connection_count"] == 1


def test_arrivals_that_find_no_connection_in_time_are_not_sent() -> None:
    """Two connections to a server that never answers: most arrivals cannot be sent, are counted, and waited in vain."""

    async def never(request: ReceivedRequest, line: Line) -> bool:
        await asyncio.sleep(60)
        return False

    with scripted(never) as server:
        seen = load(server, arrivals={"rate": 200}, connections=2, timeout="250ms", stop_at=None)
        received = len(server.requests)
    planned, sent, completed, not_sent, errors = counts(seen.facts)
    assert (planned, completed) == (100, 0)
    assert sent + not_sent == planned
    assert sent == errors >= received
    assert sent <= 2 * 5, "each connection serves one arrival in 250 ms, for at most a second"
    assert seen.facts["p50_ms"] == pytest.approx(250, rel=0.01)
    assert 250 <= seen.facts["max_ms"] < 650
    assert not next(finding for finding in seen.findings if finding.fact == "not_sent_count").held


def test_statuses_are_errors_unless_they_are_expected() -> None:
    """503 is an error by default, and none where the check accepts it."""
    with scripted(raw_response(FAIL)) as server:
        facts = load(server, arrivals={"rate": 40}, stop_at=None).facts
        assert facts["error_kinds"] == {"status": 20}
        assert facts["error_detail"] == "answered 503"
        assert facts["statuses"] == {"503": 20}
        assert facts["completed_count"] == 20
        assert sum(facts["latency_windows"]["errors"]) == 20
        accepted = load(server, arrivals={"rate": 40}, success=[503]).facts
        assert (accepted["error_count"], accepted["latency_windows"]["errors"]) == (0, [])


def test_a_failing_stack_ends_the_load_early() -> None:
    """As soon as half of at least 20 have failed, the load ends with that reason."""
    with scripted(ok(status="500 Internal Server Error")) as server:
        facts = load(server, lasts="20s", arrivals={"rate": 100}).facts
    assert facts["ended_early"] is True
    assert facts["ended_because"].endswith("requests failed")
    assert 20 <= facts["sent_count"] < 200
    assert facts["planned_count"] == facts["sent_count"] + facts["not_sent_count"]
    assert facts["elapsed_ms"] < 10_000


def test_a_load_that_ends_in_its_warm_up_reports_it() -> None:
    """There are no other figures."""
    with scripted(ok(status="500 Internal Server Error")) as server:
        facts = load(server, callers=4, warmup="20s").facts
    assert "of the warm-up" in facts["ended_because"]
    assert facts["error_count"] >= 20
    assert facts["error_ratio"] == 1


def test_a_refused_connection_is_counted_for_every_arrival() -> None:
    """No server listens: each request is refused."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        gone = Target("api", f"http://127.0.0.1:{probe.getsockname()[1]}")
        facts = load(gone, arrivals={"rate": 40}, stop_at=None).facts
        assert counts(facts) == (20, 20, 0, 0, 20)
        assert facts["error_kinds"] == {"refused": 20}
        assert facts["p50_ms"] is None
        closed = load(gone, lasts="300ms", callers=3, stop_at=None).facts
        assert closed["error_kinds"] == {"refused": closed["sent_count"]}
        assert closed["sent_count"] <= 3 * 7, "a caller that cannot connect pauses"


@pytest.mark.parametrize(
    ("answer", "kind", "detail"),
    [
        (b"", "reset", "closed before a response"),
        (OK[:-1], "reset", "closed before the end of the response"),
        (OK[:20], "reset", "closed before the end of the response"),
        (b"SSH-2.0-OpenSSH_9.2\r\n", "protocol", "not HTTP"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", "protocol", "not HTTP"),
        (b"HTTP/1.1 101 Switching\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n", "protocol", "switched"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n" + b"x" * 5000, "too_large", "more than 1000 bytes"),
        (b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 9\r\n\r\nshort", "reset", "before the end"),
    ],
)
def test_what_is_no_whole_answer_is_an_error_by_its_kind(answer: bytes, kind: str, detail: str) -> None:
    """Each in the words of the kinds of errors that every checker uses."""
    with scripted(raw_response(answer)) as server:
        facts = load(server, lasts="250ms", arrivals={"rate": 40}, stop_at=None, body_cap=1000).facts
    assert facts["error_kinds"] == {kind: 10}
    assert detail in facts["error_detail"]
    assert facts["completed_count"] == 0


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\n\r\nuntil the end of the connection",
        b"HTTP/1.0 200 OK\r\n\r\nuntil the end of the connection",
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nConnection: close\r\n\r\nhi",
        b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nhi",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n",
        b"HTTP/1.1 204 No Content\r\n\r\n",
        b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi",
    ],
)
@pytest.mark.parametrize("pieces", [1, 1000])
def test_every_way_to_end_an_answer_is_understood(answer: bytes, pieces: int) -> None:
    """By length, by chunks, by the end of the connection, without a body, after interim responses; in any pieces."""

    async def script(request: ReceivedRequest, line: Line) -> bool:
        for start in range(0, len(answer), max(1, len(answer) // pieces)):
            await line.send(answer[start : start + max(1, len(answer) // pieces)])
            await asyncio.sleep(0.001 if pieces > 1 else 0)
        return False

    with scripted(script) as server:
        facts = load(server, lasts="250ms", arrivals={"rate": 20}, stop_at=None).facts
    assert (facts["completed_count"], facts["error_kinds"]) == (5, {})
    assert facts["connection_count"] == 5


@pytest.mark.parametrize("method", ["HEAD", "GET", "POST", "DELETE"])
def test_connections_are_kept(method: str) -> None:
    """Answers of any method leave the connection to the next request; that to HEAD announces a body and has none."""
    with scripted(ok(b"hi")) as server:
        body: dict[str, Any] = {"json": {}} if method == "POST" else {}
        facts = load(server, lasts="250ms", callers=1, method=method, **body).facts
        assert server.connections == facts["connection_count"] == 1
    assert facts["error_count"] == 0
    assert facts["completed_count"] == len(server.requests) > 1


def test_a_connection_with_more_on_it_than_the_answer_is_not_used_again() -> None:
    """The answer counts; what came after it would be taken for the next one."""
    with scripted(ok(b"hi and more", length=2)) as server:
        facts = load(server, arrivals={"rate": 20}).facts
    assert (facts["completed_count"], facts["error_count"], facts["connection_count"]) == (10, 0, 10)


def _leaves_after_one(once: set[int]) -> Script:
    """Answers the first request of a connection, and closes it at the second without a word."""

    async def script(request: ReceivedRequest, line: Line) -> bool:
        if request.connection in once:
            return False
        once.add(request.connection)
        await line.send(OK)
        return True

    return script


def test_a_request_that_met_a_closing_connection_is_sent_once_more() -> None:
    """The server may not have seen it: no error, and the retries are counted."""
    with scripted(_leaves_after_one(set())) as server:
        facts = load(server, arrivals={"rate": 40}, connections=1).facts
    assert counts(facts) == (20, 20, 20, 0, 0)
    assert facts["retried_count"] == 19
    assert facts["connection_count"] == 20


def test_a_request_with_an_effect_is_not_sent_twice() -> None:
    """POST is an error then (RFC 9110 section 9.2.2)."""
    with scripted(_leaves_after_one(set())) as server:
        facts = load(server, arrivals={"rate": 40}, connections=1, method="POST", body="x", stop_at=None).facts
    assert facts["retried_count"] == 0
    assert facts["error_kinds"] == {"reset": 10}


def test_a_request_with_an_effect_uses_no_connection_that_was_long_idle() -> None:
    """For that one may be closing: at one a second each has a connection of its own, at GET they share one."""
    with scripted(ok(b"hi")) as server:
        facts = load(server, lasts="2s", arrivals={"rate": 0.8}, method="POST", body="x").facts
        assert (facts["completed_count"], facts["connection_count"]) == (2, 2)
        assert load(server, lasts="2s", arrivals={"rate": 0.8}).facts["connection_count"] == 1


def test_an_idle_connection_that_the_server_closes_is_no_error() -> None:
    """It is replaced when it is needed."""

    async def script(request: ReceivedRequest, line: Line) -> bool:
        await line.send(OK)
        await asyncio.sleep(0.05)
        return False

    with scripted(script) as server:
        facts = load(server, lasts="1s", arrivals={"rate": 5}).facts
    assert (facts["completed_count"], facts["error_count"], facts["retried_count"]) == (5, 0, 0)
    assert facts["connection_count"] == 5


def test_tls_is_verified_like_everywhere(tmp_path: Path) -> None:
    """With the target's authority it works; without it every request fails for that reason."""
    mine = authority(tmp_path)
    with scripted(ok(b"hi"), context=mine.server("127.0.0.1")) as server:
        url = server.url(scheme="https")
        trusted = Target("api", url, tls=Tls(ca=mine.ca))
        facts = load(trusted, arrivals={"rate": 40}).facts
        assert counts(facts) == (20, 20, 20, 0, 0)
        facts = load(Target("api", url), callers=2).facts
    assert facts["error_kinds"] == {"tls": facts["sent_count"]}
    assert "certificate" in facts["error_detail"]


def test_what_cannot_be_measured_is_reported_at_once() -> None:
    """An authority that cannot be read is no error of the server."""
    with scripted(ok(b"hi")) as server:
        unread = Target("api", server.url(scheme="https"), tls=Tls(ca="/nowhere/ca.pem"))
        with pytest.raises(Unmeasurable, match=r"/nowhere/ca\.pem"):
            load(unread, callers=2)


def test_of_the_addresses_of_a_name_the_one_that_answers_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """`localhost` is ::1 first on many machines, and many servers listen on 127.0.0.1 alone."""
    hosts: list[str] = []

    async def resolve(host: str, port: int) -> tuple[Address, ...]:
        hosts.append(host)
        places = ("127.0.0.2", "127.0.0.1") if host == "two.test" else (host,)
        return tuple(Address(socket.AF_INET, (place, port)) for place in places)

    monkeypatch.setattr("xnai_validate.wire.net.connection.resolve", resolve)
    with scripted(ok(b"hi")) as server:
        named = Target("api", server.url().replace("127.0.0.1", "two.test"))
        facts = load(named, arrivals={"rate": 20}).facts
        assert {request.headers["host"] for request in server.requests} == {f"two.test:{server.port}"}
    assert (facts["completed_count"], facts["error_count"]) == (10, 0)
    assert hosts.count("two.test") == 1


def test_windows_hold_every_latency() -> None:
    """Thirty at most, of equal length, together all that was counted; small enough to be kept."""
    with scripted(ok(b"hi")) as server:
        facts = load(server, arrivals={"rate": 100}).facts
    windows = facts["latency_windows"]
    found = [Histogram.from_json(window) for window in windows["windows"]]
    assert windows["window_ms"] * len(found) == pytest.approx(500)
    assert sum(histogram.count for histogram in found) == 50
    assert all(8 <= histogram.count <= 12 for histogram in found)
    assert len(json.dumps(windows)) < 20_000
