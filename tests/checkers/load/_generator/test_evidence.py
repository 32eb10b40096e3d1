"""What the report of a failing load shows of its requests."""

from __future__ import annotations

import socket
from typing import Any

from tests.checkers.streaming import TOKEN, plays
from tests.context import observe
from tests.scripted import raw_response, scripted
from xnai_validate.kit import Target
from xnai_validate.model.results.exchange import Exchange, recorder

FAIL = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n"


def recorded(kind: str, target: Target, **with_: Any) -> Exchange:
    """The exchange that a load of ten requests keeps."""
    with recorder() as kept:
        observe(kind, target, **{"for": "250ms", "arrivals": {"rate": 40}, "stop_at": None, **with_})
    return kept.exchanges()[-1]


def test_a_load_keeps_its_request_and_the_counts_of_its_answers() -> None:
    """Method, url, headers and body as sent; how many answers had which status; no stage, which would be of one."""
    with scripted(raw_response(FAIL)) as server:
        url = server.url("/query")
        kept = recorded("load.http", Target("api", server.url()), path="/query", method="POST", json={"q": 1})
    assert (kept.request, kept.request_body, kept.load_count) == (f"POST {url}", '{"q": 1}', 10)
    assert (kept.response, kept.failure, kept.stages) == ("503 (10 of 10)", None, {})


def test_what_got_no_whole_answer_is_counted_by_its_kind() -> None:
    """With the first error in words, of HTTP and of Redis."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        place = f"127.0.0.1:{probe.getsockname()[1]}"
        kept = recorded("load.http", Target("api", f"http://{place}"))
        redis = recorded("load.redis", Target("redis", f"redis://{place}/0"), command=["GET", "load:{key}"])
    assert kept.response is None
    for failure in (kept.failure, redis.failure):
        assert (failure or "").startswith("10 without a whole answer (refused 10); the first: ")
    assert (redis.protocol, redis.request) == ("redis", "GET 'load:{key}'")


def test_streams_are_counted_by_their_status_though_they_failed() -> None:
    """A stream that breaks off has a status; the failure names how it ended."""
    with scripted(plays(TOKEN)) as server:
        kept = recorded("load.sse", Target("api", server.url()), path="/stream")
    assert kept.response == "200 (10 of 10)"
    assert (kept.failure or "").startswith("10 without a whole answer (unterminated 10)")
