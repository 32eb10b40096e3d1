"""Secrets are masked wherever they stand, in every spelling, and words of plain text never are."""

from __future__ import annotations

from base64 import b64encode, urlsafe_b64encode
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xnai_validate.model.json import JsonValue
from xnai_validate.model.secrets.masking import Masker, secrets_in_url


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


def test_secrets_in_the_query_of_a_url_are_found() -> None:
    """By name, with their escapes resolved."""
    assert list(secrets_in_url("/a?api_key=a%2Fb&page=2&access_token=&sig=xyz#sig=no")) == ["a/b", "xyz"]


@pytest.mark.parametrize("piece", ["a", " the", "überall", "internation", " two words and more of them"])
def test_a_token_that_a_model_wrote_is_no_secret(piece: str) -> None:
    """A stream of `{"token": " the"}` stays readable; what looks generated under that name is masked."""
    masker = Masker(())
    frame = f'data: {{"token": "{piece}"}}'
    assert masker.text(frame) == frame
    assert masker.json({"token": piece}) == {"token": piece}
    assert masker.text('data: {"token": "a1b2c3d4"}') == 'data: {"token": "***"}'
    assert masker.json({"token": "a1b2c3d4", "access_token": piece}) == {"token": "***", "access_token": "***"}
