"""The credentials that a document written for the tool holds, so that they are masked wherever they come back."""

from __future__ import annotations

import json
import re
from base64 import b64decode
from collections.abc import Iterator
from urllib.parse import parse_qsl, unquote

from xnai_validate.model.json import JsonValue
from xnai_validate.model.secrets.forms import spans_by_form
from xnai_validate.model.secrets.names import holds_secret_number, looks_secret

_SCHEMES = ("bearer", "basic", "token")
_USERINFO = re.compile(r"[A-Za-z][A-Za-z0-9+.-]{0,30}://[^/\s:@]*:([^/\s\"'<>]+)@")
_WITH_USER = ("AUTH", "HELLO", "MIGRATE")
"""Commands of Redis whose password may stand after the name of a user."""
SHORTEST = 8
"""Credentials after a scheme that are shorter may be words."""


def secrets_in(value: JsonValue, name: str = "") -> Iterator[str]:
    """The credentials in a value under a name: values of secret names, of cookies, options, queries and forms."""
    if isinstance(value, dict):
        named = next((str(value[key]) for key in ("name", "header") if isinstance(value.get(key), str)), "")
        if looks_secret(named):
            yield from secrets_in(value.get("value"), named)
        for key, item in value.items():
            yield from secrets_in(item, "cookie" if name.lower() == "cookies" and isinstance(item, str) else key)
    elif isinstance(value, list):
        for at, item in enumerate(value):
            before = value[at - 1] if at else None
            is_option = isinstance(before, str) and before.startswith("-") and "=" not in before
            yield from secrets_in(item, str(before) if is_option and not looks_secret(name) else name)
        if value and all(isinstance(item, str) for item in value):
            yield from _secrets_by_form(" ".join(map(str, value)))
    elif isinstance(value, int) and not isinstance(value, bool):
        if holds_secret_number(name, is_input=True):
            yield str(value)
    elif isinstance(value, str) and value:
        if looks_secret(name):
            yield value
            yield from (each for each in credentials_within(name, value) if len(each) >= SHORTEST)
            return
        yield from _secrets_by_form(value)
        for password in _USERINFO.findall(value):
            yield from {password, unquote(password)}
        if value[:1] in ("{", "["):
            yield from _secrets_in_json(value)
        elif "?" in value:
            yield from secrets_in_url(value)
        elif "=" in value:
            yield from _secrets_in_query(value)


def _secrets_by_form(text: str) -> Iterator[str]:
    """The credentials that the form of a text shows, such as a command of Redis."""
    has_user = text.lstrip("'\"").startswith(_WITH_USER)
    for first, last in spans_by_form(text):
        found = text[first:last]
        # Of a user and a password the last is the credential; of a private key every line.
        pieces = found.split("\n") if "\n" in found else found.split()[-1:] if has_user else [found]
        yield from (piece.strip("'\"") for piece in pieces)


def _secrets_in_json(text: str) -> Iterator[str]:
    """The credentials in a JSON text, such as a body that is written as a text."""
    try:
        yield from secrets_in(json.loads(text))
    except (ValueError, RecursionError):
        return


def secrets_in_url(url: str) -> Iterator[str]:
    """The values of query parameters with secret names."""
    return _secrets_in_query(url.partition("?")[2].partition("#")[0])


def _secrets_in_query(query: str) -> Iterator[str]:
    """The values of parameters with secret names in a query or a form."""
    return (value for name, value in parse_qsl(query) if looks_secret(name.lstrip("-")) and value)


def credentials_within(name: str, value: str) -> Iterator[str]:
    """The credentials within a value under a secret name: of cookies, after a scheme, the password of Basic."""
    if name.lower().endswith("cookie"):
        for pair in value.split(";"):
            yield pair.partition("=")[2].strip()
    scheme, _, credentials = value.partition(" ")
    yield credentials if scheme.lower() in _SCHEMES else value
    if scheme.lower() == "basic":
        try:
            yield b64decode(credentials, validate=True).decode().partition(":")[2]
        except ValueError:
            return
