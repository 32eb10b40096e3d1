"""Redirections: the target's credentials stay with its origin, whichever form the Location has."""

from __future__ import annotations

import base64

import pytest

from tests.context import observe
from tests.scripted import Line, ReceivedRequest, Scripted, ok, scripted
from xnai_validate.kit import Target
from xnai_validate.model.target import Auth
from xnai_validate.wire.http.connections.destination import followed

BASIC = "Basic " + base64.b64encode(b"svc:p@ss").decode()


def moving(to: str) -> tuple[list[Scripted], object]:
    """A script that redirects `/` and answers everything else; `{own}` in the Location is the server's own url."""
    servers: list[Scripted] = []

    async def script(request: ReceivedRequest, line: Line) -> bool:
        if request.path != "/":
            return await ok(b"home")(request, line)
        return await ok(b"", f"Location: {to.format(own=servers[0].url())}", status="307 Moved")(request, line)

    return servers, script


@pytest.mark.parametrize("location", ["/home", "home", "{own}/home"])
@pytest.mark.parametrize("way", ["url", "auth"])
def test_credentials_stay_within_an_origin(location: str, way: str) -> None:
    """User and password of the target's url, and its `auth`, go with a relative and an absolute Location alike."""
    servers, script = moving(location)
    with scripted(script) as server:  # type: ignore[arg-type]
        servers.append(server)
        url = server.url()
        if way == "url":
            target = Target("api", url.replace("://", "://svc:p%40ss@"))
        else:
            target = Target("api", url, auth=Auth("basic", "svc", "p@ss"))
        facts = observe("http.request", target, redirects=3).facts
    assert (facts["text"], facts["url"], facts["redirects"]) == ("home", f"{url}/home", [f"{url}/home"])
    assert [request.headers.get("authorization") for request in server.requests] == [BASIC, BASIC]


def test_credentials_do_not_leave_an_origin() -> None:
    """Another port is another origin: neither `auth` nor a header goes along."""
    servers, script = moving("{own}/home")
    with scripted(ok(b"other")) as other, scripted(script) as server:  # type: ignore[arg-type]
        servers.append(other)
        target = Target("api", server.url(), auth=Auth("bearer", "", "token"))
        facts = observe("http.request", target, redirects=1, headers={"X-Auth": "secret"}).facts
    assert facts["text"] == "other"
    assert {"authorization", "x-auth"} & set(other.requests[0].headers) == set()


@pytest.mark.parametrize(
    ("url", "location", "leads_to"),
    [
        ("http://h/a", "http://h:80/b", ("http://h:80/b", True)),
        ("http://h/a", "https://h/b", ("https://h/b", False)),
        ("http://h/a", "//other/b", ("http://other/b", False)),
        ("http://straße.example/", "http://xn--strae-oqa.example/b", ("http://xn--strae-oqa.example/b", True)),
        ("http+unix://%2Frun%2Fx.sock/a", "/b", ("http+unix://%2Frun%2Fx.sock/b", True)),
        ("http+unix://%2Frun%2Fx.sock/a", "http://localhost/b", ("http+unix://%2Frun%2Fx.sock/b", True)),
        ("http+unix://%2Frun%2Fx.sock/a", "http://other/b", ("http://other/b", False)),
        ("http://h/a", "http+unix://%2Frun%2Fdocker.sock/", None),
        ("http://h/a", "file:///etc/hostname", None),
    ],
)
def test_where_a_location_leads(url: str, location: str, leads_to: tuple[str, bool] | None) -> None:
    """An origin is scheme, host and port; a socket is followed to no other, and never from a host."""
    assert followed(url, location) == leads_to
