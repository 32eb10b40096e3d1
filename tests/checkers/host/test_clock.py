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
    age: str | None = None
    other_date: str | None = None
    """A second header `Date`: another one, or with an empty text the same again."""
    asctime = False

    def do_HEAD(self) -> None:
        self.send_response_only(self.status)
        if self.offset_s is not None:
            at_s = time.time() + self.offset_s
            date = time.asctime(time.gmtime(at_s)) if self.asctime else formatdate(at_s, usegmt=True)
            self.send_header("Date", date)
            if self.other_date is not None:
                self.send_header("Date", self.other_date or date)
        if self.age is not None:
            self.send_header("Age", self.age)
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


def test_the_age_of_a_cached_answer_is_added(clock: Target, monkeypatch: pytest.MonkeyPatch) -> None:
    """A cache that has kept an answer for an hour declares that; the server's clock is right."""
    monkeypatch.setattr(Clock, "offset_s", -3600.0)
    monkeypatch.setattr(Clock, "age", "3600")
    seen = observe("host.clock", clock)
    assert seen.held, seen.findings
    assert seen.facts["age_s"] == 3600


@pytest.mark.parametrize("zone", ["America/New_York", "Asia/Kolkata"])
def test_a_date_without_a_zone_is_in_gmt(clock: Target, monkeypatch: pytest.MonkeyPatch, zone: str) -> None:
    """The form of asctime has no zone: it is in GMT (RFC 9110, 5.6.7) wherever this machine stands."""
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    try:
        monkeypatch.setattr(Clock, "asctime", True)
        assert observe("host.clock", clock).held
    finally:
        monkeypatch.delenv("TZ")
        time.tzset()


@pytest.mark.parametrize(("age", "age_s"), [("60, 5", 60.0), ("5.5", 0.0), ("-60", 0.0), ("9" * 20, 2.0**31)])
def test_an_odd_age_is_read_by_the_rfc(clock: Target, monkeypatch: pytest.MonkeyPatch, age: str, age_s: float) -> None:
    """Of a list the first counts, what is no number is ignored, and more than 2^31 are as many (RFC 9111)."""
    monkeypatch.setattr(Clock, "age", age)
    monkeypatch.setattr(Clock, "offset_s", -age_s if age_s < 1000 else 0.0)
    seen = observe("host.clock", clock)
    assert seen.facts["age_s"] == age_s
    assert seen.held == (age_s < 1000)


def test_two_dates_that_differ_are_no_date(clock: Target, monkeypatch: pytest.MonkeyPatch) -> None:
    """Which of them is right cannot be known; the same date twice is harmless."""
    monkeypatch.setattr(Clock, "other_date", formatdate(0, usegmt=True))
    seen = observe("host.clock", clock)
    assert seen.facts["error"] == "protocol"
    assert "no usable Date header" in seen.facts["error_detail"]
    monkeypatch.setattr(Clock, "other_date", "")
    assert observe("host.clock", clock).held
