"""Urls of Redis: every part is followed or refused."""

from __future__ import annotations

import re

import pytest

from xnai_validate.model.redis_url import RedisUrl
from xnai_validate.model.target import Tls


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("redis://h", RedisUrl("h")),
        ("redis://h/", RedisUrl("h")),
        ("redis://h:7/3", RedisUrl("h", 7, db=3)),
        ("redis://h?db=3", RedisUrl("h", db=3)),
        ("redis://h/?db=3", RedisUrl("h", db=3)),
        ("redis://[::1]:7", RedisUrl("::1", 7)),
        ("redis://:p%40%3A@h", RedisUrl("h", password="p@:")),
        ("redis://me:secret@h", RedisUrl("h", username="me", password="secret")),
        ("rediss://h", RedisUrl("h", secure=True)),
        ("rediss://h/0?ssl_cert_reqs=none", RedisUrl("h", secure=True, db=0, tls=(("verify", False),))),
        ("rediss://h?ssl_cert_reqs=required", RedisUrl("h", secure=True, tls=(("verify", True),))),
        ("rediss://h?ssl_ca_certs=/ca.pem&db=1", RedisUrl("h", secure=True, db=1, tls=(("ca", "/ca.pem"),))),
        (
            "rediss://h?ssl_certfile=c.pem&ssl_keyfile=k.pem",
            RedisUrl("h", secure=True, tls=(("cert", "c.pem"), ("key", "k.pem"))),
        ),
    ],
)
def test_what_is_followed(url: str, expected: RedisUrl) -> None:
    """Host, port, user, password, database, and the options of TLS, in the forms that clients have."""
    assert RedisUrl.parse(url) == expected


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("http://h", "not one of Redis"),
        ("redis:///0", "not one of Redis"),
        ("redis+sentinel://h", "not one of Redis"),
        ("redis://h/name", "'name' is not a number"),
        ("redis://h/-1", "'-1' is not a number"),
        ("redis://h/1/2", "'1/2' is not a number"),
        ("redis://h?db=x", "'x' is not a number"),
        ("redis://h/1?db=1", "given twice"),
        ("redis://h?db=1&db=2", "option db is given twice"),
        ("redis://h#0", "no fragment"),
        ("redis://h?socket_timeout=5", "option socket_timeout is not followed"),
        ("redis://h?protocol=3", "option protocol is not followed"),
        ("redis://h?ssl_cert_reqs=none", "write rediss://"),
        ("rediss://h?ssl_cert_reqs=optional", "required or none here, not 'optional'"),
        ("rediss://h?ssl_check_hostname=false", "option ssl_check_hostname is not followed"),
        ("redis://h?password=secret", "option password is not followed"),
        ("redis://h:99999", "malformed"),
        ("redis://u:secret/x@h", "malformed"),
    ],
)
def test_what_is_refused(url: str, words: str) -> None:
    """What would be passed over in silence is an error that names it, and never quotes a password."""
    with pytest.raises(ValueError, match=re.escape(words)) as raised:
        RedisUrl.parse(url)
    assert "secret" not in str(raised.value)


def test_options_become_fields_of_tls() -> None:
    """An option of the url outranks the same field of `tls`; the other fields stay."""
    url = RedisUrl.parse("rediss://h?ssl_cert_reqs=none&ssl_ca_certs=b.pem")
    assert url.merged(Tls(ca="a.pem", server_name="name")) == Tls(ca="b.pem", verify=False, server_name="name")


@pytest.mark.parametrize(
    ("url", "plain"),
    [
        ("redis://u%2F:p@h?db=3", "redis://u%2F@h:6379/3"),
        ("rediss://[::1]/0?ssl_cert_reqs=none", "rediss://[::1]:6379/0"),
        ("redis://:p@h:1/", "redis://h:1"),
    ],
)
def test_the_url_without_password_and_options(url: str, plain: str) -> None:
    """What is kept of a url once password and options are fields of the target, and reads the same again."""
    assert RedisUrl.parse(url).plain == plain
    assert RedisUrl.parse(plain).db == RedisUrl.parse(url).db
