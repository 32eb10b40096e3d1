"""The command that asks again: for which checks there is one, and of which exchange."""

from __future__ import annotations

import pytest

from xnai_validate.model.results.exchange import Exchange
from xnai_validate.model.results.repeat_command import repeat_command
from xnai_validate.model.results.status import Status

HTTP = Exchange(protocol="http", request="GET http://h/p")
REDIS = Exchange(protocol="redis", request="PING", options={"-h": "h", "-p": "1"})
LOG = Exchange(protocol="file", request="/a b.log", options={"-n": "20"})


@pytest.mark.parametrize(
    ("exchanges", "command"),
    [
        ((), None),
        ((REDIS, HTTP), "curl -sS -i http://h/p"),
        ((HTTP, REDIS), "redis-cli -h h -p 1 PING"),
        ((HTTP, LOG), "curl -sS -i http://h/p"),
        ((LOG,), "tail -n 20 '/a b.log'"),
    ],
)
def test_the_last_request_is_repeated(exchanges: tuple[Exchange, ...], command: str | None) -> None:
    """The log beside it only where nothing was asked."""
    assert repeat_command(Status.FAIL, exchanges) == command


@pytest.mark.parametrize("status", [Status.PASS, Status.SKIP, Status.FLAKY])
def test_a_check_that_passed_has_none(status: Status) -> None:
    """What is shown in a report is what a person repairs."""
    assert repeat_command(status, (HTTP,)) is None


@pytest.mark.parametrize(
    ("exchange", "command"),
    [
        (
            Exchange(
                protocol="http",
                request="POST http://h/login?token=***",
                request_body='{"user": "***", "2nd-pass": "*** $1"}',
                request_bytes=40,
            ),
            """curl -sS -i --data-binary "{\\"user\\": \\"${USER}\\", \\"2nd-pass\\": \\"${ND_PASS} \\$1\\"}" """
            '"http://h/login?token=${TOKEN}"',
        ),
        (
            Exchange(protocol="redis", request="SET 'a b' '***'", options={"-h": "h"}),
            "redis-cli -h h SET 'a b' \"${SECRET}\"",
        ),
        (Exchange(protocol="redis", request="SET *** 'a"), "redis-cli SET \"${SECRET}\" ''\"'\"'a'"),
    ],
)
def test_each_secret_is_a_variable_of_its_own(exchange: Exchange, command: str) -> None:
    """A shell fills in every one; a bare mask would be taken for a pattern of files."""
    assert repeat_command(Status.FAIL, (exchange,)) == command
