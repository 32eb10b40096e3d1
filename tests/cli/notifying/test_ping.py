"""The dead man's switch, as Healthchecks.io takes it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import Place
from tests.cli.notifying.conftest import Receiver
from xnai_validate.cli.notifying.ping import ping_url


@pytest.mark.parametrize(
    ("url", "start"),
    [
        ("https://hc-ping.com/1b2c", "https://hc-ping.com/1b2c/start"),
        ("https://hc-ping.com/1b2c/", "https://hc-ping.com/1b2c/start"),
        ("http://127.0.0.1:8000/ping/key/slug?create=1", "http://127.0.0.1:8000/ping/key/slug/start?create=1"),
    ],
)
def test_the_signal_is_the_last_part_of_the_path(url: str, start: str) -> None:
    """A query, which may create the check, stays behind it; success is the url itself."""
    assert ping_url(url, "start") == start
    assert ping_url(url, None) == url


def test_a_run_pings_its_start_and_its_success(place: Place, receiver: Receiver) -> None:
    """`run --ping` sends two requests; the second has the verdict and the counts."""
    result = place.run("good", "--ping", f"{receiver.url}/abc")
    assert result.exit_code == 0, result.output
    assert receiver.paths(2) == ["/abc/start", "/abc"]
    assert receiver.requests[1].body.decode().startswith("PASSED (exit 0): every check passed\n2 passed, 0 failed")


def test_a_failed_run_pings_a_failure(place: Place, receiver: Receiver) -> None:
    """A failure goes to URL/fail, with the root cause; the exit code stays that of the run."""
    result = place.run("bad", "--ping", f"{receiver.url}/abc", "--ping", f"{receiver.url}/def")
    assert result.exit_code == 1
    assert sorted(receiver.paths(4)) == ["/abc/fail", "/abc/start", "/def/fail", "/def/start"]
    assert "site/broken:boom: status: expected 200, got 500" in receiver.requests[-1].body.decode()


def test_a_run_that_cannot_begin_pings_nothing(place: Place, receiver: Receiver) -> None:
    """A profile with an error is silence, which the switch notices."""
    assert place.run("mistaken", "--ping", receiver.url).exit_code == 2
    assert receiver.requests == []


def test_a_switch_that_does_not_answer_is_a_notice(place: Place, tmp_path: Path) -> None:
    """The exit code is that of the stack; the notice names the receiver, not the secret path of its url."""
    result = place.run("good", "--ping", "http://127.0.0.1:1/secret-uuid", "-o", "r.json")
    assert result.exit_code == 0
    assert "not delivered: --ping http://127.0.0.1:1: ConnectError" in result.stderr
    assert "secret-uuid" not in result.output + (tmp_path / "r.json").read_text()


def test_the_url_is_verified(place: Place) -> None:
    """What is not a url is a usage error."""
    result = place.run("good", "--ping", "hc-ping.com/abc")
    assert result.exit_code == 2
    assert "write a url such as https://example.org/path" in " ".join(result.stderr.split())
