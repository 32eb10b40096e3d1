"""What is kept of an HTTP exchange for the report of a failure."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any

import pytest

from tests.scripted import Line, ReceivedRequest, ok, raw_response, scripted
from xnai_validate.model.results.exchange import BODY_CAP, Exchange, recorder
from xnai_validate.wire.failure import WireError
from xnai_validate.wire.http.client import HttpClient, HttpRequest


def recorded(url: str, *, timeout_s: float = 20.0, redirects: int = 0, **request: Any) -> tuple[Exchange, ...]:
    """The exchanges of one fetch, whatever comes of it."""

    async def run() -> tuple[Exchange, ...]:
        with recorder() as made:
            async with HttpClient() as client:
                with suppress(WireError):
                    await client.fetch(HttpRequest.of(url, **request), timeout_s=timeout_s, redirects=redirects)
        return made.exchanges()

    return asyncio.run(run())


def test_both_sides_of_an_exchange() -> None:
    """Request and response with the headers that a person would ask about, and the size of each body."""
    with scripted(ok(b'{"ok": false}', "Content-Type: application/json", status="503 Not Now")) as server:
        url = server.url("/health?x=1")
        (made,) = recorded(url, method="POST", headers={"X-Trace": "7"}, body=b'{"q": "h\xc3\xa9"}', content_type="a/b")
    assert made.request == f"POST {url}"
    assert made.request_headers == {"X-Trace": "7", "Content-Type": "a/b"}
    assert (made.request_body, made.request_bytes) == ('{"q": "hé"}', 12)
    assert made.response == "503 Not Now"
    assert made.response_headers == {"content-length": "13", "content-type": "application/json"}
    assert (made.response_body, made.response_bytes, made.failure) == ('{"ok": false}', 13, None)


def test_of_a_long_body_the_beginning_and_the_end() -> None:
    """A stream is long, and what broke it stands at its end."""
    body = b"begin " + b"x" * (16 * BODY_CAP) + b" the end"
    with scripted(ok(body)) as server:
        (made,) = recorded(server.url())
    assert made.response_body is not None
    assert made.response_end is not None
    assert len(made.response_body) == BODY_CAP
    assert made.response_body.startswith("begin ")
    assert made.response_end.endswith("x the end")
    assert made.response_bytes == len(body)


def test_a_body_that_is_no_text_is_left_out() -> None:
    """An image is not evidence that a person reads; its size is."""
    with scripted(ok(b"\x89PNG\0\0\1")) as server:
        (made,) = recorded(server.url())
    assert (made.response_body, made.response_bytes) == (None, 7)


async def stalled(request: ReceivedRequest, line: Line) -> bool:
    await line.send(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nabc")
    await asyncio.sleep(60)
    return False


async def silent(request: ReceivedRequest, line: Line) -> bool:
    await asyncio.sleep(60)
    return False


def test_a_time_out_names_the_stage_that_did_not_end() -> None:
    """Before the response it is that none came, within it what was read of the body."""
    with scripted(stalled) as server:
        (made,) = recorded(server.url(), timeout_s=0.3)
    assert made.response_body == "abc"
    assert "the body of the response did not end" in str(made.failure)
    with scripted(silent) as server:
        (made,) = recorded(server.url(), timeout_s=0.3)
    assert made.response is None
    assert str(made.failure).startswith("no response: ")


@pytest.mark.parametrize(
    ("answer", "part"), [(b"", "closed before"), (b"SSH-2.0-x\r\n", "SSH"), (b"HTTP/1.1 200 OK\r\nContent-", "closed")]
)
def test_what_is_no_response_is_named(answer: bytes, part: str) -> None:
    """A closed connection and another protocol are the failure of the exchange."""
    with scripted(raw_response(answer)) as server:
        made = recorded(server.url())[-1]
    assert made.response is None
    assert part in str(made.failure)


def test_each_hop_of_a_redirection_is_an_exchange() -> None:
    """What redirected, and what came in the end."""

    async def script(request: ReceivedRequest, line: Line) -> bool:
        if request.path == "/a":
            return await ok(b"", "Location: /b", status="302 Found")(request, line)
        return await ok(b"here")(request, line)

    with scripted(script) as server:
        first, last = recorded(server.url("/a"), redirects=3)
    assert (first.response, first.response_headers["location"]) == ("302 Found", "/b")
    assert (last.request, last.response_body) == (f"GET {server.url('/b')}", "here")
