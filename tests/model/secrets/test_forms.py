"""Credentials are found by the commands and pairs that they stand in; words of plain text stay."""

from __future__ import annotations

from functools import partial

import pytest

from xnai_validate.model.judging.cpu_limit import within_cpu_limit
from xnai_validate.model.secrets.masking import Masker

JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl"


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("AUTH app pw1", "AUTH ***"),
        ("AUTH pw1", "AUTH ***"),
        ('"AUTH" "pw1"', '"AUTH" ***'),
        ("HELLO 3 AUTH app pw1 SETNAME me", "HELLO 3 AUTH *** SETNAME me"),
        ("CONFIG SET requirepass pw1", "CONFIG SET requirepass ***"),
        ("config set masterauth pw1", "config set masterauth ***"),
        ("CONFIG SET REQUIREPASS pw1", "CONFIG SET REQUIREPASS ***"),
        ("[requirepass, pw1]", "[requirepass, ***]"),
        ("ACL SETUSER app on >pw1 ~* +@all", "ACL SETUSER app on >*** ~* +@all"),
        ("ACL SETUSER app on >pw1 >pw2 ~*", "ACL SETUSER app on >*** ~*"),
        ("MIGRATE h 6379 k 0 5000 AUTH2 app pw1 KEYS a", "MIGRATE h 6379 k 0 5000 AUTH2 *** KEYS a"),
        ("AUTH PLAIN AGFwcABwdzE=", "AUTH PLAIN ***"),
        ("-> AUTH XOAUTH2 dXNlcj1hcHA= sent", "-> AUTH XOAUTH2 *** sent"),
        ("curl -sS -u app:pw1 http://h/", "curl -sS -u app:*** http://h/"),
        ("curl --proxy-user 'app:pw1' http://h/", "curl --proxy-user 'app:***' http://h/"),
        ("curl -u 'app:p w1' http://h/", "curl -u 'app:***' http://h/"),
        ("curl -b 'sid=pw1' http://h/", "curl -b '***' http://h/"),
        ("curl --oauth2-bearer pw1 http://h/", "curl --oauth2-bearer *** http://h/"),
        ('curl -H "Authorization: Basic YXBwOnB3MQ==" http://h/', 'curl -H "Authorization: Basic ***" http://h/'),
        ("redis-cli -h h -a pw1 PING", "redis-cli -h h -a *** PING"),
        ("sshpass -p pw1 ssh h", "sshpass -p *** ssh h"),
        ("mysql -u app -ppw1 db", "mysql -u app -p*** db"),
        ("mysql -u app -p'p w1' db", "mysql -u app -p'***' db"),
        ("docker login -u app -p pw1 registry", "docker login -u app -p *** registry"),
        ("host=db port=5432 user=app password=pw1", "host=db port=5432 user=app password=***"),
        ("user = app password = 'p w1' dbname = x", "user = app password = '***' dbname = x"),
        ("host=db password='it''s' user=x", "host=db password='***' user=x"),
        ("Server=db;User Id=app;Password=pw1;", "Server=db;User Id=app;Password=***;"),
        ("CREATE USER app IDENTIFIED BY 'pw1'", "CREATE USER app IDENTIFIED BY '***'"),
        ("alter role app with password 'pw1'", "alter role app with password '***'"),
        ("sasl.username=app sasl.password=pw1 acks=all", "sasl.username=app sasl.password=*** acks=all"),
        ("amqps://app:pw1@mq/v: refused", "amqps://***@mq/v: refused"),
        ("smtp://app:pw1@mail:587", "smtp://***@mail:587"),
        ("(('authorization', 'abcd4711x'), ('x', 'y'))", "(('authorization', '***'), ('x', 'y'))"),
        ("[('authorization', 'token abcd4711x')]", "[('authorization', '***')]"),
        ("_Metadatum(key='x-api-key', value='pw1')", "_Metadatum(key='x-api-key', value='***')"),
        ('<input type="hidden" name="csrf_token" value="pw1">', '<input type="hidden" name="csrf_token" value="***">'),
        ('<meta name="csrf-token" content="pw1">', '<meta name="csrf-token" content="***">'),
        (
            "<a:password Type='x'>pw1</a:password><user>app</user>",
            "<a:password Type='x'>***</a:password><user>app</user>",
        ),
        ("<token>abcd4711x</token><token>the</token>", "<token>***</token><token>the</token>"),
        (f'the body has "{JWT}"', 'the body has "***"'),
        (f"as x-{JWT} is", "as x-*** is"),
        (
            "-----BEGIN PRIVATE KEY-----\nMIIE\nvQIB\n-----END PRIVATE KEY-----",
            "-----BEGIN PRIVATE KEY-----***-----END PRIVATE KEY-----",
        ),
        ("/cb?next=https%3A%2F%2Fh%2F%3Ftoken%3Dpw1%26a%3D1", "/cb?next=https%3A%2F%2Fh%2F%3Ftoken%3D***%26a%3D1"),
        ("/cb?next=https%253A%252F%252Fh%253Ftoken%253Dpw1", "/cb?next=https%253A%252F%252Fh%253Ftoken%253D***"),
        ("/q?filter=%7B%22api_key%22%3A%22pw1%22%7D&a=1", "/q?filter=%7B%22api_key%22%3A%22***%22%7D&a=1"),
        ('/q?filter={"api_key":"pw1"}&a=1', '/q?filter={"api_key":"***"}&a=1'),
        ("ERR AUTH <password> called without any password", "ERR AUTH <password> called without any password"),
        ("AUTH failed", "AUTH failed"),
        ("250-AUTH PLAIN LOGIN CRAM-MD5", "250-AUTH PLAIN LOGIN CRAM-MD5"),
        ("Set requirepass, then restart", "Set requirepass, then restart"),
        ("A user is identified by 'user_id'", "A user is identified by 'user_id'"),
        ("HELLO to all, AUTH is needed", "HELLO to all, AUTH is needed"),
        ('{"name": "get_token", "content": "the answer"}', '{"name": "get_token", "content": "the answer"}'),
        ("503 AUTH LOGIN required", "503 AUTH LOGIN required"),
        ("auth=ok pass=12 fail=3 cookie=none token=0.5", "auth=ok pass=12 fail=3 cookie=none token=0.5"),
        ("('password', 'password_confirmation')", "('password', 'password_confirmation')"),
        ("sshpass -f file ssh -p 2222 h", "sshpass -f file ssh -p 2222 h"),
        ("Client sent AUTH, but no password is set", "Client sent AUTH, but no password is set"),
        (
            "Access denied for user 'a'@'h' (using password: YES)",
            "Access denied for user 'a'@'h' (using password: YES)",
        ),
        (
            'FATAL: password authentication failed for user "app"',
            'FATAL: password authentication failed for user "app"',
        ),
        ('{"required": ["password", "email"]}', '{"required": ["password", "email"]}'),
        ("a path such as /a%3Db%22c and /caf%C3%A9", "a path such as /a%3Db%22c and /caf%C3%A9"),
        ("curl -u app http://h/a:b", "curl -u app http://h/a:b"),
    ],
)
def test_credentials_are_masked_by_their_form(text: str, masked: str) -> None:
    """Of protocols, programs and pairs, encoded once or twice; what only resembles them stays readable."""
    assert Masker(()).text(text) == masked


def test_a_long_text_costs_little() -> None:
    """What a server sends cannot make the search for credentials slow: each expression passes over a text once."""
    masker = Masker(())
    for piece in (
        "AUTH ",
        "curl ",
        "a=b ",
        "('token', 'x ",
        "<a>",
        'name="token" ',
        "password '",
        "%3D",
        "eyJ",
        "eyJ-",
        "ACL SETUSER a ",
        "redis-cli ",
        "a%3Db",
    ):
        text = piece * (200_000 // len(piece))
        masked = within_cpu_limit(5.0, partial(masker.text, text))
        assert len(masked) <= 2 * len(text)
