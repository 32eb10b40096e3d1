"""Cookies: each is seen by itself, sent where a check asks for it, and kept along redirections."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.context import beside, call_checker, check_context, observe
from tests.scripted import Line, ReceivedRequest, ok, scripted
from xnai_validate.checkers.http._models import Request
from xnai_validate.kit import JsonObject, Target
from xnai_validate.wire.http.client import HttpClient
from xnai_validate.wire.http.cookies import LIFETIME_CAP_S, set_cookies
from xnai_validate.wire.http.head import head_of

TWO = ("Set-Cookie: sid=a=b; Path=/; HttpOnly", "Set-Cookie: theme=dark; Expires=Fri, 29 Nov 2097 20:00:00 GMT")


def test_each_cookie_is_seen_by_itself() -> None:
    """Joined as a header they could not be separated: their dates have commas."""
    with scripted(ok(b"", *TWO)) as server:
        facts = observe("http.request", Target("api", server.url())).facts
    assert [(cookie["name"], cookie["cookie"], cookie["attributes"]) for cookie in facts["set_cookies"]] == [
        ("sid", "a=b", "Path=/; HttpOnly"),
        ("theme", "dark", "Expires=Fri, 29 Nov 2097 20:00:00 GMT"),
    ]


@pytest.mark.parametrize(
    ("attributes", "expected"),
    [
        ("", {"lifetime_s": None, "path": None, "domain": None, "secure": False, "http_only": False}),
        ("Path=/a; Domain=.Shop.example; Secure; HttpOnly; SameSite=Lax", {"path": "/a", "domain": "shop.example"}),
        ("secure;httponly ; samesite=STRICT", {"secure": True, "http_only": True, "same_site": "strict"}),
        ("Max-Age=3600; Expires=Fri, 29 Nov 2097 20:00:00 GMT", {"lifetime_s": 3600.0}),
        ("Max-Age=0", {"lifetime_s": 0.0}),
        ("Max-Age=soon; Expires=never", {"lifetime_s": None}),
        ("Expires=Thu, 01 Jan 1970 00:01:00 GMT", {"lifetime_s": -940.0}),
        ("Expires=Thu, 01-Jan-1970 00:16:50 GMT", {"lifetime_s": 10.0}),
        ("Expires=Thu, 01 Jan 1970 00:16:50 +0500", {"lifetime_s": 10.0}),
        ("Max-Age=999999999999999999999", {"lifetime_s": LIFETIME_CAP_S}),
        ("Max-Age=" + "9" * 400, {"lifetime_s": LIFETIME_CAP_S}),
        ("Max-Age=" + "0" * 25 + "60", {"lifetime_s": 60.0}),
        ("Max-Age=+5", {"lifetime_s": None}),
    ],
)
def test_the_attributes_of_a_cookie_are_facts(attributes: str, expected: dict[str, object]) -> None:
    """RFC 6265 section 5.2: names in any case, Max-Age before Expires, what is malformed is ignored."""
    head = head_of(200, b"OK", b"HTTP/1.1", ((b"set-cookie", f"sid=x; {attributes}".encode()),))
    (cookie,) = set_cookies(head, now_s=1000.0)
    assert {name: getattr(cookie, name) for name in expected} == expected


def test_cookies_are_sent_as_they_are_given() -> None:
    """And without the parameter none is sent, whatever the server has set before."""
    with scripted(ok(b"", *TWO)) as server:
        target = Target("api", server.url())
        observe("http.request", target, cookies={"a": "1", "b": "2"})
        observe("http.request", target, repeat=2)
    assert [request.headers.get("cookie") for request in server.requests] == ["a=1; b=2", None, None]


def test_a_log_in_by_cookie_is_followed() -> None:
    """A cookie that a redirection sets is sent to the page that it leads to, but only if the check gives `cookies`."""

    async def script(request: ReceivedRequest, line: Line) -> bool:
        if request.path == "/login":
            return await ok(b"", *TWO, "Location: /home", status="303 See Other")(request, line)
        return await ok(request.headers.get("cookie", "none").encode())(request, line)

    with scripted(script) as server:
        target = Target("api", server.url())
        for cookies, expected in (
            ({"theme": "light", "x": "1"}, "sid=a=b; theme=dark; x=1"),
            ({}, "sid=a=b; theme=dark"),
            (None, "none"),
        ):
            facts = observe("http.request", target, path="/login", method="POST", redirects=1, cookies=cookies).facts
            assert "; ".join(sorted(facts["text"].split("; "))) == expected


def test_a_flow_takes_a_cookie_to_its_next_step() -> None:
    """`capture: {sid: {cookie: sid}}` has its value; one that is not set is not a value."""

    async def script(request: ReceivedRequest, line: Line) -> bool:
        if request.path == "/login":
            return await ok(b"", *TWO)(request, line)
        return await ok(request.headers.get("cookie", "none").encode())(request, line)

    steps = [
        {"name": "login", "kind": "http.request", "with": {"path": "/login"}, "capture": {"sid": {"cookie": "sid"}}},
        {
            "name": "home",
            "kind": "http.request",
            "with": {"path": "/home", "cookies": {"sid": "{{sid}}"}},
            "expect": {"text": "sid=a=b"},
        },
    ]
    with scripted(script) as server:
        facts = observe("flow.steps", Target("api", server.url()), steps=steps).facts
        steps[0]["capture"] = {"sid": {"cookie": "other"}}
        lacking = observe("flow.steps", Target("api", server.url()), steps=steps).facts
    assert facts["first_broken"] is None, facts
    assert lacking["first_broken"] == "login"


def test_a_file_is_sent_as_a_part_of_a_form() -> None:
    """`files` and `form` make a multipart body (RFC 7578), whose boundary the content type names."""
    with scripted(ok(b"thanks")) as server:
        observe(
            "http.request",
            Target("api", server.url()),
            method="POST",
            form={"title": "Guide"},
            files={"document": {"name": "guide.md", "content": "# Läufe", "type": "text/markdown"}},
        )
    (request,) = server.requests
    kind, _, boundary = request.headers["content-type"].partition("; boundary=")
    assert kind == "multipart/form-data"
    parts = request.body.split(b"--" + boundary.encode())
    assert b'name="title"\r\n\r\nGuide\r\n' in parts[1]
    assert b'name="document"; filename="guide.md"\r\nContent-Type: text/markdown\r\n\r\n# L\xc3\xa4ufe\r\n' in parts[2]


def kept_in_turn(target: Target, *requests: dict[str, Any]) -> None:
    """Make requests one after the other with the client of one run."""

    async def all_of_them() -> None:
        async with HttpClient() as client:
            for params in requests:
                request = Request.model_validate(params).request(target)
                await client.fetch(request, timeout_s=5, redirects=5)

    asyncio.run(all_of_them())


def test_a_target_keeps_cookies_for_all_checks_of_a_run() -> None:
    """Each goes where its path and its life allow; the check's own ones go first, and a check may leave all out."""

    async def script(request: ReceivedRequest, line: Line) -> bool:
        if request.path == "/login":
            return await ok(b"", "Set-Cookie: sid=1; Path=/", "Set-Cookie: admin=2; Path=/admin")(request, line)
        if request.path == "/logout":
            return await ok(b"", "Set-Cookie: sid=; Path=/; Max-Age=0")(request, line)
        return await ok(b"")(request, line)

    with scripted(script) as server:
        target = Target("shop", server.url(), keeps_cookies=True)
        own = {"path": "/page", "cookies": {"sid": "mine", "b": "3"}}
        left_out = {"path": "/page", "keep_cookies": False}
        paths = [{"path": path} for path in ("/page", "/login", "/page", "/admin/x")]
        kept_in_turn(target, *paths, own, left_out, {"path": "/logout"}, {"path": "/page"})
    assert [request.headers.get("cookie") for request in server.requests] == [
        None, None, "sid=1", "admin=2; sid=1", "sid=mine; b=3", None, "sid=1", None,
    ]  # fmt: skip


def test_loads_and_websockets_send_the_cookies_that_their_target_keeps() -> None:
    """And what the handshake of a WebSocket sets is kept as well, also where it is refused."""

    async def script(request: ReceivedRequest, line: Line) -> bool:
        if request.path == "/ws":
            return await ok(b"", "Set-Cookie: room=2; Path=/", status="403 Forbidden")(request, line)
        if request.path == "/sse":
            return await ok(b"data: x\n\n", "Content-Type: text/event-stream")(request, line)
        return await ok(b"", *(("Set-Cookie: sid=1; Path=/",) if request.path == "/login" else ()))(request, line)

    async def checks(target: Target) -> None:
        async with check_context("http.request", target, path="/login") as ctx:
            await call_checker(ctx)
            await call_checker(beside(ctx, "websocket.session", {"path": "/ws"}))
            at_most: JsonObject = {"arrivals": {"rate": 20}, "for": "100ms"}
            await call_checker(beside(ctx, "load.http", {"path": "/load", **at_most}))
            await call_checker(beside(ctx, "load.sse", {"path": "/sse", "method": "GET", **at_most}))
            await call_checker(beside(ctx, "load.http", {"path": "/none", "keep_cookies": False, **at_most}))

    with scripted(script) as server:
        asyncio.run(checks(Target("shop", server.url(), keeps_cookies=True)))
    sent = {request.path: request.headers.get("cookie") for request in server.requests}
    assert sent == {"/login": None, "/ws": "sid=1", "/load": "sid=1; room=2", "/sse": "sid=1; room=2", "/none": None}


def test_kept_cookies_stay_with_their_target() -> None:
    """Another origin on the same host gets none, neither by a redirection nor by an absolute url."""
    with scripted(ok(b"")) as other:

        async def script(request: ReceivedRequest, line: Line) -> bool:
            if request.path == "/away":
                return await ok(b"", f"Location: {other.url()}/landed", status="302 Found")(request, line)
            return await ok(b"", "Set-Cookie: sid=1; Path=/")(request, line)

        with scripted(script) as server:
            target = Target("shop", server.url(), keeps_cookies=True)
            kept_in_turn(target, {"path": "/"}, {"path": "/away"}, {"path": f"{other.url()}/absolute"})
    assert [request.headers.get("cookie") for request in server.requests] == [None, "sid=1"]
    assert [(request.path, request.headers.get("cookie")) for request in other.requests] == [
        ("/landed", None),
        ("/absolute", None),
    ]
