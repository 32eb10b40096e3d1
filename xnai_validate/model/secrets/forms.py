"""Credentials that their form or the words around them show: of commands, of SQL, in pairs, tokens, private keys."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from xnai_validate.model.secrets.names import HARMLESS, holds_secret_number, looks_generated, looks_secret

Span = tuple[int, int]
"""Where a piece of a text begins and ends."""


_ARGUMENT = r"""(?:'([^'\n]+)|"([^"\n]+)|([^\s'"]+))"""
"""An argument of a command, within its quotes."""
_USER_AND_PASSWORD = r"""(?:'[^\s':]+:([^'\n]+)|"[^\s":]+:([^"\n]+)|[^\s'":]+:([^\s'"]+))"""
_COOKIES = r"""(?:'([^\s'"@][^'\n]*=[^'\n]+)|"([^\s'"@][^"\n]*=[^"\n]+)|([^\s'"@][^\s'"]*=[^\s'"]+))"""


def _option(program: str, option: str, value: str = _ARGUMENT) -> str:
    """Return the expression for the value of an option in the command of a program.

    The search ends at the next command of the program, so that no part of a text is passed over twice.
    """
    return rf"\b{program}\b(?:(?!\b{program}\b)[^\n]){{0,2000}}?\s{option}{value}"


_SETUSER = r"(?i)\bACL['\"]? +['\"]?SETUSER\b(?:(?!\bACL\b)[^\n])*?\s['\"]?[>#](\S+(?: +['\"]?[>#]\S+)*)"
_CONFIG_SET = r"(?i)\bCONFIG['\"]? +['\"]?SET['\"]? +['\"]?(?:requirepass|masterauth)['\"]? +(\S+)"
_NEXT = r"""['"]?, *['"]?([^\s,'"\]]++)(?=['"]?\s*(?:[,\]]|\Z))"""
"""The next item of a list; a comma in a sentence has words behind it."""
_MECHANISM = r"\bAUTH (?:PLAIN|LOGIN|XOAUTH2|OAUTHBEARER) +((?=\S*[a-z])(?=\S*[A-Z0-9])[A-Za-z0-9+/=]{8,})"
_JSON_WEB_TOKEN = (
    r"(?<![A-Za-z0-9_-])(?:[A-Za-z0-9_]{1,40}-){0,4}"  # words with dashes before it; no search begins within such a run
    r"(eyJ[A-Za-z0-9_-]{8,}+\.eyJ[A-Za-z0-9_-]{2,}+\.[A-Za-z0-9_-]{4,})"
)
_FORMS: tuple[tuple[str, str], ...] = (
    ("PRIVATE KEY", r"(?s)-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY-----((?:(?!-----END).)*+)"),
    ("eyJ", _JSON_WEB_TOKEN),
    # Commands of Redis: AUTH, HELLO, MIGRATE, ACL SETUSER and CONFIG SET, as they are shown from their beginning on.
    ("AUTH", r"\A['\"]?AUTH['\"]? +(?!<|(?:failed|required|error|PLAIN|LOGIN|XOAUTH2|OAUTHBEARER)\b)(\S+(?: +\S+)?)\Z"),
    ("AUTH", r"(?s)\A['\"]?(?:HELLO['\"]? +['\"]?\d|MIGRATE)\b.*?\bAUTH2?['\"]? +(\S+(?: +(?!SETNAME\b|KEYS\b)\S+)?)"),
    ("SETUSER", _SETUSER),
    ("setuser", _SETUSER),
    ("CONFIG", _CONFIG_SET),
    ("config", _CONFIG_SET),
    ("requirepass", r"\brequirepass" + _NEXT),
    ("masterauth", r"\bmasterauth" + _NEXT),
    # SMTP (RFC 4954) and SASL: base64 after the name of a mechanism, not a word, nor a list of mechanisms.
    ("AUTH", _MECHANISM),
    # Options of programs, which a log or an error quotes.
    ("curl", _option("curl", "(?:-u|-U|--user|--proxy-user)[ =]?", _USER_AND_PASSWORD)),
    ("curl", _option("curl", "(?:-b|--cookie)[ =]?", _COOKIES)),
    ("curl", _option("curl", "--oauth2-bearer[ =]")),
    ("redis-cli", _option("redis-cli", "(?:-a|--pass)[ =]?")),
    ("sshpass", r"\bsshpass +-p *" + _ARGUMENT),
    ("mysql", _option("mysql(?:dump|admin)?", r"-p(?=\S)")),
    ("docker login", _option("docker login", "-p[ =]?")),
)
_ALWAYS = tuple((needle, re.compile(form)) for needle, form in _FORMS)
"""What a text has in any case -> the expression whose last group is the credential."""
_SQL = re.compile(
    r"(?<!['\"])\b(?:(?<!is )(?<!are )(?<!be )IDENTIFIED(?: +WITH +\S+)? +BY(?: +PASSWORD)?|PASSWORD)"
    r"(?:\s*=\s*|\s+)(?:PASSWORD\()?'((?:[^']|'')+)'",
    re.IGNORECASE,
)
_PAIR = re.compile(r"""[(\[]\s*b?(["'])([\w.-]{1,100})\1\s*,\s*b?(["'])((?:(?!\3)[^\\]|\\.)+)\3\s*[)\]]""", re.ASCII)
"""A pair of a name and a value, as lists of headers and of gRPC metadata are shown."""
_NAMED = re.compile(
    r"""\b(?:key|name|header)["']?\s*[=:]\s*b?["']([\w.-]{1,100})["'][\s,]+"""
    r"""(?:["']?value["']?\s*[=:]|content\s*=)\s*b?(["'])((?:(?!\2)[^\\]|\\.)+)\2""",
    re.ASCII | re.IGNORECASE,
)
"""The same with words: `key='authorization', value='...'`, and in HTML `name="csrf_token" value="..."`."""
_ELEMENT = re.compile(r"<(?:[\w.-]{1,40}:)?([\w.-]{1,100})(?:\s[^<>]{0,200})?>([^<>\s]{1,2000})</", re.ASCII)
"""An element of XML with a text."""
_SETTING = re.compile(r"(?<![\w.-])([\w.-]{1,100}+) ?= ?('(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"|[^\s'\";,]+)", re.ASCII)
"""One of several settings in a row, as in a connection string: `host=db password=x user=app`."""


def spans_by_form(text: str) -> list[Span]:
    """Return where credentials stand in a text, in order."""
    return merged(_find_spans(text))


def merged(spans: Iterable[Span]) -> list[Span]:
    """Return spans in order, those that overlap as one."""
    apart: list[Span] = []
    for first, last in sorted(spans):
        if apart and first < apart[-1][1]:
            apart[-1] = (apart[-1][0], max(last, apart[-1][1]))
        else:
            apart.append((first, last))
    return apart


def _find_spans(text: str) -> Iterator[Span]:
    """Yield where credentials stand in a text; they may overlap."""
    for needle, expression in _ALWAYS:
        if needle in text:
            yield from (found.span(found.lastindex or 0) for found in expression.finditer(text))
    if "'" in text and ("BY" in text or "by" in text or "PASSWORD" in text.upper()):
        yield from (found.span(1) for found in _SQL.finditer(text))
    if "," in text:
        pairs = (found for found in _PAIR.finditer(text) if looks_secret(found[2]))
        yield from (found.span(4) for found in pairs if is_generated_value(found[4]))
    if "value" in text or "content" in text:
        yield from (found.span(3) for found in _NAMED.finditer(text) if looks_secret(found[1]))
    if "</" in text:
        elements = (found for found in _ELEMENT.finditer(text) if looks_secret(found[1]))
        yield from (found.span(2) for found in elements if found[1].lower() != "token" or looks_generated(found[2]))
    if text.count("=") > 1 and " " in text:
        yield from _in_settings(text)


def is_generated_value(text: str) -> bool:
    """Whether the text next to a name in a list looks like a generated credential, and not like another name.

    It may follow a scheme such as `Bearer`. The names of fields, such as `password_confirmation`, are long but contain
    no digit.
    """
    secret = text.partition(" ")[2] or text
    return looks_generated(secret) and any(map(str.isdigit, secret))


def _in_settings(text: str) -> Iterator[Span]:
    """Yield the values of secret names among settings that follow one another, apart by a blank."""
    settings = list(_SETTING.finditer(text))
    for at, found in enumerate(settings):
        quoted = found[2][:1] in ("'", '"')
        span = (found.start(2) + quoted, found.end(2) - quoted)
        if not _is_credential_of(found[1], text[slice(*span)]):
            continue
        before = at > 0 and text[settings[at - 1].end() : found.start()] == " "
        after = at + 1 < len(settings) and text[found.end() : settings[at + 1].start()] == " "
        if before or after:
            yield span


def _is_credential_of(name: str, value: str) -> bool:
    """Whether the value of a setting is a credential.

    Words and numbers, as in `auth=ok pass=12` of a log, are credentials under the names of passwords alone.
    """
    if not looks_secret(name) or value.lower() in HARMLESS:
        return False
    if not any(map(str.isalpha, value)):
        return holds_secret_number(name)
    return looks_generated(value) or not value.isalpha() or holds_secret_number(name, is_input=True)
