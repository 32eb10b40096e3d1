"""Credentials in what is written for the tool are known before anything is sent."""

from __future__ import annotations

from base64 import b64encode

import pytest

from xnai_validate.model.json import JsonValue
from xnai_validate.model.secrets.credentials import secrets_in, secrets_in_url


def test_secrets_in_the_query_of_a_url_are_found() -> None:
    """By name, with their escapes resolved."""
    assert list(secrets_in_url("/a?api_key=a%2Fb&page=2&access_token=&sig=xyz#sig=no")) == ["a/b", "xyz"]


@pytest.mark.parametrize(
    ("params", "secrets"),
    [
        ({"headers": {"Authorization": "Bearer abcdefgh"}}, {"Bearer abcdefgh", "abcdefgh"}),
        (
            {"headers": {"Authorization": f"Basic {b64encode(b'me:hunter22').decode()}"}},
            {f"Basic {b64encode(b'me:hunter22').decode()}", b64encode(b"me:hunter22").decode(), "hunter22"},
        ),
        ({"headers": {"Cookie": "sid=abcdefgh; b=1"}}, {"sid=abcdefgh; b=1", "abcdefgh"}),
        ({"cookies": {"sid": "abcdefgh"}}, {"abcdefgh"}),
        ({"path": "/a?token=abc1&page=2"}, {"abc1"}),
        ({"body": "password=abc1&page=2"}, {"abc1"}),
        ({"json": {"password": 12345678, "pin": 4711, "max_token": 9, "token": 17}}, {"12345678", "4711"}),
        ({"command": ["db", "--password", "abc1", "--token=abc2", "-v", "abc3"]}, {"abc1", "abc2"}),
        ({"json": {"api_keys": ["abc1", "abc2"], "keys": ["abc3"]}}, {"abc1", "abc2"}),
        ({"command": ['"AUTH"', '"app"', '"abc1"']}, {"abc1"}),
        ({"query": "alter role a with password 'correct horse'"}, {"correct horse"}),
        ({"url": "amqp://a:p%40ss@h"}, {"p%40ss", "p@ss"}),
        ({"headers": {"Accept": "application/json"}, "path": "/a?b=c", "text": "a=b"}, set()),
    ],
)
def test_credentials_in_params_are_found(params: JsonValue, secrets: set[str]) -> None:
    """Under each kind of secret name, also as numbers, in lists, forms, cookies and options of a command."""
    assert set(secrets_in(params)) == secrets
