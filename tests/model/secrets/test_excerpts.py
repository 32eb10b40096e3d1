"""Errors in files show the line, and no credential that stands in it."""

from __future__ import annotations

import pytest

from xnai_validate.model.secrets.excerpts import without_credentials


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("    password: hunter2", "    password: *******"),
        ('with: {json: {"api_key": "ab c1"}, path: /x}', 'with: {json: {"api_key": "*****"}, path: /x}'),
        ("headers: {X-Api-Key: 'abc', Accept: text/html}", "headers: {X-Api-Key: '***', Accept: text/html}"),
        ('headers: {X-A: "Bearer abc4711x\\r\\n"}', 'headers: {X-A: "Bearer ********\\r\\n"}'),
        ("url: http://me:pw@host/a?token=abc&page=2", "url: http://*****@host/a?token=***&page=2"),
        ("DB_PASSWORD=abc", "DB_PASSWORD=***"),
        ("password_env: REDIS_PASSWORD", "password_env: REDIS_PASSWORD"),
        ('Authorization: "Bearer ${API_TOKEN}"', 'Authorization: "Bearer ${API_TOKEN}"'),
        ("password: ${REDIS_PASSWORD}", "password: ${REDIS_PASSWORD}"),
        ("password: ${PW:-hunter2}x", "password: ${PW:-*********"),
        ("{password: ${PW:-}, b: c}", "{password: ${PW:-}, b: c}"),
        ("password: ${PW-hunter2}", "password: ${PW-********"),
        ("password: ${redis.pass-word}", "password: ${redis.pass-word}"),
        ("password: abc${PW}def", "password: ***${PW}***"),
        ("capture: {id: {json: $.id, secret: true}}", "capture: {id: {json: $.id, secret: true}}"),
        ("title: Basic auth in the url, and a Bearer of news", "title: Basic auth in the url, and a Bearer of news"),
        ("expect: {status: 200, max_tokens: 5}", "expect: {status: 200, max_tokens: 5}"),
    ],
)
def test_credentials_are_blanked_in_their_places(line: str, shown: str) -> None:
    """Whatever stands after them keeps its column; references and the names of variables stay."""
    assert without_credentials(line) == shown
    assert len(shown) == len(line)
