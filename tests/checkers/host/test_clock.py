"""The clock of this machine against a server's."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler

import pytest

from tests.context import observe
from tests.serving import Quiet, serving
from xnai_validate.kit import NotApplicable, Target


class Clock(Quiet, BaseHTTPRequestHandler):
    """Answers with the date that the test sets."""

    protocol_version = "HTTP/1.1"
    offset_s: float | None = 0.0
    status = 200

    def do_HEAD(self) -> None:
        self.send_response_only(self.status)
        if self.offset_s is not None:
            self.send_header("Date", formatdate(time.time() + self.offset_s, usegmt=True))
        self.send_header("Content-Length", "0")
        self.end_headers()


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Iterator[Target]:
    with serving(Clock) as url:
        yield Target("api", url)


def test_equal_clocks_are_equal(clock: Target) -> None:
    """The whole seconds of the header are allowed for: no distance between equal clocks."""
    seen = observe("host.clock", clock)
    assert seen.held
    assert abs(seen.facts["skew_s"]) <= seen.facts["uncertainty_s"] + 0.05
    assert seen.facts["distance_s"] < 0.05


@pytest.mark.parametrize("offset_s", [-90.0, 3600.0])
def test_a_wrong_clock_fails(clock: Target, monkeypatch: pytest.MonkeyPatch, offset_s: float) -> None:
    """A server that is behind or ahead is so by about that much, with its sign, whatever status it answers."""
    monkeypatch.setattr(Clock, "offset_s", offset_s)
    monkeypatch.setattr(Clock, "status", 404)
    seen = observe("host.clock", clock)
    assert not seen.held
    assert seen.facts["skew_s"] == pytest.approx(offset_s, abs=seen.facts["uncertainty_s"] + 0.05)


def test_no_date_and_no_server_are_errors(clock: Target, monkeypatch: pytest.MonkeyPatch) -> None:
    """An answer without a date is a protocol error, a closed port is refused, Redis has no such clock."""
    monkeypatch.setattr(Clock, "offset_s", None)
    assert observe("host.clock", clock).facts["error"] == "protocol"
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        seen = observe("host.clock", Target("api", f"http://127.0.0.1:{closed.getsockname()[1]}"))
    assert seen.facts["error"] == "refused"
    assert not seen.held
    with pytest.raises(NotApplicable):
        observe("host.clock", Target("redis", "redis://127.0.0.1:6379"))
