"""Notifications: on a change, once each, with the evidence, masked."""

from __future__ import annotations

import json

import pytest

from tests.cli.commands.test_watch import watching
from tests.cli.conftest import Place
from tests.cli.notifying.conftest import Receiver

# Apprise tries the standard library's imghdr, which Python 3.13 has removed.
pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")


def test_a_run_notifies_of_what_changed_since_the_stored_run(place: Place, receiver: Receiver) -> None:
    """From cron: a failure is notified once, not again by the next run; the recovery is, and then nothing more."""
    hook = ("--notify", f"{receiver.url}/hook")
    assert place.run("good", *hook).exit_code == 0
    assert receiver.requests == []
    place.site.down.set()
    assert place.run("good", *hook).exit_code == 1
    assert place.run("good", *hook).exit_code == 1
    assert receiver.paths(1) == ["/hook"]
    message = json.loads(receiver.requests[0].body)
    assert (message["format"], message["verdict"], message["before"]) == ("xnai-validate/change/1", "failed", "passed")
    [broken] = message["broken"]
    assert (broken["id"], broken["status"], broken["before"]) == ("site/web:up", "fail", "pass")
    assert broken["reason"] == "status: expected 200, got 503"
    assert broken["exchange"]["response"].startswith("503")
    assert any(line.startswith("asked: GET http://127.0.0.1") for line in broken["evidence"])
    place.site.down.clear()
    place.run("good", *hook)
    place.run("good", *hook)
    receiver.paths(2)
    assert json.loads(receiver.requests[1].body)["recovered"][0]["id"] == "site/web:up"
    assert len(receiver.requests) == 2


def test_a_first_run_that_fails_is_notified(place: Place, receiver: Receiver) -> None:
    """Without a run before, a failure is news."""
    place.run("bad", "--notify", receiver.url)
    assert json.loads(receiver.requests[0].body)["before"] is None


def test_other_checks_are_another_course(place: Place, receiver: Receiver) -> None:
    """A run of a part of the checks is not compared with one of all: what it left out did not recover."""
    place.run("bad", "--notify", receiver.url)
    place.run("bad", "--only", "site/web:*", "--notify", receiver.url)
    place.run("bad", "--notify", receiver.url)
    assert len(receiver.requests) == 1


def test_watch_notifies_once(place: Place, receiver: Receiver) -> None:
    """Of ten runs, the two in which something changes are notified; the switch is pinged by every one."""
    with watching(
        "good", "--every", "1s", "--notify", f"{receiver.url}/hook", "--ping", f"{receiver.url}/ping"
    ) as runs:
        runs.until("2 passed")
        place.site.down.set()
        runs.until("site/web:json")
        place.site.down.clear()
        runs.until("recovered")
        receiver.paths(len(receiver.requests) + 4)
        assert runs.end() == 0
    paths = [request.path for request in receiver.requests]
    assert paths.count("/hook") == 2
    assert paths.count("/ping/start") >= paths.count("/ping") + paths.count("/ping/fail") >= 4
    assert "/ping/fail" in paths


def test_secrets_are_masked(place: Place, receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is secret in the report is secret in the message."""
    monkeypatch.setenv("SITE_TOKEN", "s3cr3t-value-42")
    profile = place.path / "profiles" / "bad.yaml"
    auth = f"url: '{place.site.url}', auth: {{scheme: bearer, secret_env: SITE_TOKEN}}"
    profile.write_text(profile.read_text().replace(f"url: '{place.site.url}'", auth))
    assert place.run("bad", "--notify", receiver.url).exit_code == 1
    body = receiver.requests[0].body
    assert b"authorization" in body.lower()
    assert b"s3cr3t-value-42" not in body


def test_a_webhook_that_is_down_for_a_moment_gets_it_once(place: Place, receiver: Receiver) -> None:
    """A status such as 503 is tried again; one such as 404 is not, and is a notice."""
    receiver.statuses[:] = [503, 200]
    assert place.run("bad", "--notify", receiver.url).exit_code == 1
    assert len(receiver.requests) == 2
    receiver.statuses[:] = [404]
    result = place.run("bad", "--only", "site/broken:*", "--notify", f"{receiver.url}/t0ken")
    assert len(receiver.requests) == 3
    assert "not delivered: --notify http://127.0.0.1" in result.stderr
    assert "status 404" in result.stderr
    assert "t0ken" not in result.stderr


def test_apprise_delivers_to_its_services(place: Place, receiver: Receiver) -> None:
    """A url of Apprise gets the title and the text of the change (here its own json:// to our receiver)."""
    place.run("bad", "--notify", receiver.url.replace("http://", "json://"))
    message = json.loads(receiver.requests[0].body)
    assert message["title"].startswith("Something is broken: FAILED (exit 1): 1 check failed")
    assert "broken: site/broken:boom: status: expected 200, got 500" in message["message"]
    assert message["type"] == "failure"


@pytest.mark.parametrize("url", ["nosuch://x", "https://", "127.0.0.1:9000/hook"])
def test_an_unknown_receiver_is_2(place: Place, url: str) -> None:
    """A url that neither a webhook nor Apprise takes is refused before the run, with how to go on."""
    result = place.run("good", "--notify", url)
    assert result.exit_code == 2, result.output
    assert "--notify" in result.stderr
    assert place.site.seen == []
