"""Secrets are masked wherever they stand, in every spelling, and words of plain text never are."""

from __future__ import annotations

from base64 import b64encode, urlsafe_b64encode
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xnai_validate.model.json import JsonValue
from xnai_validate.model.secrets.credentials import secrets_in
from xnai_validate.model.secrets.masking import Masker


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("the password is hunter22", "the password is ***"),
        ("hunter22-extended", "***"),
        ("redis://user:pw@host/0", "redis://***@host/0"),
        ("Authorization: Bearer abcd.efgh", "Authorization: Bearer ***"),
        ("basic dXNlcjpwYXNz", "basic ***"),
        ("nothing here", "nothing here"),
        ("a Bearer of news", "a Bearer of news"),
    ],
)
def test_secrets_are_masked_in_texts(text: str, masked: str) -> None:
    """Known secrets (the longest first), userinfo of urls, and credentials of the Authorization header."""
    assert Masker(["hunter22", "hunter22-extended", "abc"]).text(text) == masked


def test_secrets_are_masked_in_documents() -> None:
    """Values under secret names are masked whole, known secrets anywhere, keys included."""
    document: JsonValue = {"Authorization": "x y", "a": ["hunter22", {"hunter22": 1}], "token": 5, "password": ""}
    assert Masker(["hunter22"]).json(document) == {
        "Authorization": "***",
        "a": ["***", {"***": 1}],
        "token": 5,
        "password": "",
    }


@pytest.mark.parametrize(
    "document",
    [
        {"a": [1, "x", {"b": None}], "c": "é", "d": []},
        {"***": 1, "hunter22": 1},
        {"a": ("hunter22",)},
        [["hunter22"]],
        [],
    ],
)
def test_only_what_is_masked_is_copied(document: JsonValue) -> None:
    """A document without a secret is returned itself; one with a secret is left as it was, and none is in the other."""
    before = repr(document)
    masked = Masker(["hunter22"]).json(document)
    assert repr(document) == before
    assert "hunter22" not in repr(masked)
    assert (masked is document) == ("hunter22" not in before)


PASSWORD = "pa/ss:w?rd+42"


@pytest.mark.parametrize(
    "spelled",
    [
        quote(PASSWORD, safe=""),
        quote(PASSWORD, safe="").lower(),
        quote(PASSWORD),
        b64encode(PASSWORD.encode()).decode(),
        b64encode(f"svc:{PASSWORD}".encode()).decode(),
        urlsafe_b64encode(f"x{PASSWORD}y".encode()).decode(),
    ],
)
def test_every_spelling_of_a_secret_is_masked(spelled: str) -> None:
    """Percent-encoded in either case, and base64 wherever the secret stands in what was encoded."""
    masked = Masker([PASSWORD]).text(f"before {spelled} after")
    assert masked == "before *** after"


@given(st.binary(min_size=0, max_size=5), st.text(st.characters(codec="ascii"), min_size=10, max_size=30))
def test_base64_of_a_secret_is_masked_at_any_offset(before: bytes, secret: str) -> None:
    """However many bytes stand before it."""
    encoded = b64encode(before + secret.encode()).decode()
    assert encoded not in Masker([secret]).text(encoded)


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("GET /json?api_key=k8f3a1&page=2", "GET /json?api_key=***&page=2"),
        ("/cb?state=1;access_token=a1b2#x", "/cb?state=1;access_token=***#x"),
        ("/a?accessToken=%2Fx&max_tokens=64", "/a?accessToken=***&max_tokens=64"),
        ('{"accessToken": "abc", "tokens": "five"}', '{"accessToken": "***", "tokens": "five"}'),
        ('got "{\\"a\\": 1}"', 'got "{\\"a\\": 1}"'),
        ("the token=5 of a sentence", "the token=5 of a sentence"),
        ("Basic auth in the url is refused", "Basic auth in the url is refused"),
        ("A Bearer token is expected", "A Bearer token is expected"),
        ("Bearer eyJhbGciOi.J9", "Bearer ***"),
    ],
)
def test_values_of_secret_names_are_masked_in_texts(text: str, masked: str) -> None:
    """In queries of urls and members of JSON, without being known; a word of a sentence stays."""
    assert Masker([]).text(text) == masked


def test_what_stands_under_a_secret_name_is_masked_elsewhere() -> None:
    """A cookie or a token of a response is masked in the text of the same response, also where it comes first."""
    masker = Masker([])
    facts: JsonValue = {
        "text": 'welcome s3ss10nid99, your key is "tok12345abc"',
        "headers": {"set-cookie": "sid=s3ss10nid99; Path=/; HttpOnly"},
        "json": {"accessToken": "tok12345abc"},
    }
    assert masker.json(facts) == {
        "text": 'welcome ***, your key is "***"',
        "headers": {"set-cookie": "***"},
        "json": {"accessToken": "***"},
    }
    assert masker.text("expected 200, got s3ss10nid99") == "expected 200, got ***"


def test_a_word_under_a_secret_name_stays_readable_elsewhere() -> None:
    """A schema has `"password": "string"`: the word is masked there and nowhere else."""
    masker = Masker([])
    assert masker.json({"password": "string", "type": "string"}) == {"password": "***", "type": "string"}


@pytest.mark.parametrize(
    ("secret", "text"),
    [
        ("a/b+c4711", r"a\/b+c4711"),
        ("a/b+c4711", "a%2fb%2Bc4711"),
        ("grün&4711", r"gr\u00fcn&4711"),
        ("a&b<c4711", "a&amp;b&lt;c4711"),
        ("a'b\"c4711", "a&#39;b&#34;c4711"),
        ("a'b\"c4711", "a&#x27;b&quot;c4711"),
    ],
)
def test_a_known_secret_is_masked_in_every_spelling(secret: str, text: str) -> None:
    """As servers spell it: escaped for JSON or HTML, and percent-encoded with digits in mixed case."""
    assert Masker([secret]).text(f"got {text}!") == "got ***!"


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("password=abc4711x&user=bob", "password=***&user=bob"),
        ("/#access_token=abc&x=1", "/#access_token=***&x=1"),
        ("DB_PASSWORD=abc 4711", "DB_PASSWORD=abc 4711"),
        ("line: DB_PASSWORD=abc4711x", "line: DB_PASSWORD=***"),
        ("password: abc4711x\nuser: bob", "password: ***\nuser: bob"),
        ("{'password': 'abc4711x', 'user': 'bob'}", "{'password': '***', 'user': 'bob'}"),
        (r'{"a": "{\"api_key\": \"abc4711x\"}"}', r'{"a": "{\"api_key\": \"***\"}"}'),
        ('{"api_keys": ["abc1", "abc2"], "keys": ["a"]}', '{"api_keys": ["***", "***"], "keys": ["a"]}'),
        ('{"password": 12345678, "tokens": 12345678}', '{"password": "***", "tokens": 12345678}'),
        ('{"pass": 12, "fail": 0}', '{"pass": 12, "fail": 0}'),
        ("Set-Cookie: sid=abc4711x; Path=/", "Set-Cookie: ***; Path=/"),
        ("authorization: Token abc4711x", "authorization: Token ***"),
        ("BEARER abc4711x", "BEARER ***"),
        ("redis://u:p@ss4711@host/0", "redis://***@host/0"),
        ("http://h/p;jsessionid=ABC", "http://h/p;jsessionid=***"),
        ("password: required", "password: required"),
        ("Log in with password=optional", "Log in with password=optional"),
        ("auth: basic is enough", "auth: basic is enough"),
        ("Basic checks", "Basic checks"),
        ("max_tokens=128 page=2", "max_tokens=128 page=2"),
    ],
)
def test_values_of_secret_names_are_masked_in_other_texts(text: str, masked: str) -> None:
    """In forms, variables, headers, YAML and JSON within JSON; words of plain text stay."""
    assert Masker(()).text(text) == masked


@pytest.mark.parametrize(
    ("document", "masked"),
    [
        ({"api_keys": ["abc1", "abc2"]}, {"api_keys": ["***", "***"]}),
        ({"token": {"value": "abc14711", "ttl": 5}}, {"token": {"value": "***", "ttl": 5}}),
        ({"password": {"type": "string"}}, {"password": {"type": "string"}}),
        ({"password": 4711, "token": 4711}, {"password": "***", "token": 4711}),
        ({"pass": 12, "fail": 0}, {"pass": 12, "fail": 0}),
        ([{"name": "DB_PASSWORD", "value": "abc1"}], [{"name": "DB_PASSWORD", "value": "***"}]),
        (["db", "--password", "abc1", "--verbose", "abc2"], ["db", "--password", "***", "--verbose", "abc2"]),
        ({"headers": {"X-Auth": ["abc1"]}}, {"headers": {"X-Auth": ["***"]}}),
        ([["authorization", "abcd4711x"], ["a", "b"]], [["authorization", "***"], ["a", "b"]]),
        ([{"key": "x-api-key", "value": "abc1"}], [{"key": "x-api-key", "value": "***"}]),
        (["save", "1", "requirepass", "abc1"], ["save", "1", "requirepass", "***"]),
        (["user", "app", "token", "abcd4711x"], ["user", "app", "token", "***"]),
        (["password", "email"], ["password", "email"]),
        (["password", "password_confirmation"], ["password", "password_confirmation"]),
    ],
)
def test_values_of_secret_names_are_masked_in_documents(document: JsonValue, masked: JsonValue) -> None:
    """Also as numbers, in lists, in pairs of name and value, and after an option of a command."""
    assert Masker(()).json(document) == masked


def test_a_known_number_is_masked_under_any_secret_name() -> None:
    """A server counts what passed under `pass`; the number that the user gave as a password is no such count."""
    masker = Masker(secrets_in({"user": "bob", "pass": 47110}))
    assert masker.json({"pass": 47110, "port": 47110, "db_pass": 3}) == {"pass": "***", "port": 47110, "db_pass": 3}
    assert masker.text('{"pass": 47110}') == '{"pass": ***}'


def test_a_huge_value_of_a_secret_name_is_masked_and_not_remembered() -> None:
    """A server cannot slow the run down by a megabyte under the name of a token."""
    masker = Masker(())
    assert masker.json({"access_token": "a1" * 500_000, "text": "token=" * 10_000}) == {
        "access_token": "***",
        "text": "token=***",
    }
    assert masker.learned == 0


@pytest.mark.parametrize("piece", ["a", " the", "überall", "internation", " two words and more of them"])
def test_a_token_that_a_model_wrote_is_no_secret(piece: str) -> None:
    """A stream of `{"token": " the"}` stays readable; what looks generated under that name is masked."""
    masker = Masker(())
    frame = f'data: {{"token": "{piece}"}}'
    assert masker.text(frame) == frame
    assert masker.json({"token": piece}) == {"token": piece}
    assert masker.text('data: {"token": "a1b2c3d4"}') == 'data: {"token": "***"}'
    assert masker.json({"token": "a1b2c3d4", "access_token": piece}) == {"token": "***", "access_token": "***"}
