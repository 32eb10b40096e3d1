"""Credentials that their form or the words around them show: of commands, of SQL, in pairs, tokens, private keys."""

from __future__ import annotations

import re
from collections.abc import Iterator

from xnai_validate.model.secrets.names import looks_generated, looks_secret

_CONFIG_SET = r"(?i)\bCONFIG['\"]? +['\"]?SET['\"]? +['\"]?(?:requirepass|masterauth)['\"]? +(\S+)"
_MECHANISM = r"\bAUTH (?:PLAIN|LOGIN|XOAUTH2|OAUTHBEARER) +((?=[^\s]*[a-z])[A-Za-z0-9+/=]{8,})"
_FORMS: tuple[tuple[str, str], ...] = (
    ("PRIVATE KEY", r"(?s)-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY-----((?:(?!-----END).)*+)"),
    ("eyJ", r"\b(eyJ[A-Za-z0-9_-]{8,}+\.eyJ[A-Za-z0-9_-]{2,}+\.[A-Za-z0-9_-]{4,})"),
    # Commands of Redis: AUTH, HELLO, MIGRATE, ACL SETUSER and CONFIG SET, as they are shown from their beginning on.
    ("AUTH", r"\A['\"]?AUTH['\"]? +(?!<|(?:failed|required|error|PLAIN|LOGIN|XOAUTH2|OAUTHBEARER)\b)(\S+(?: +\S+)?)\Z"),
    ("AUTH", r"(?s)\A['\"]?(?:HELLO|MIGRATE)\b.*?\bAUTH2?['\"]? +(\S+(?: +(?!SETNAME\b|KEYS\b)\S+)?)"),
    ("SETUSER", r"\bACL['\"]? +['\"]?SETUSER\b[^\n]*?\s['\"]?[>#](\S+)"),
    ("requirepass", _CONFIG_SET),
    ("masterauth", _CONFIG_SET),
    ("requirepass", r"\brequirepass['\"]?, *['\"]?([^\s,'\"\]]+)"),
    ("masterauth", r"\bmasterauth['\"]?, *['\"]?([^\s,'\"\]]+)"),
    # SMTP (RFC 4954) and SASL: what follows the name of a mechanism; a list of mechanisms has capitals alone.
    ("AUTH", _MECHANISM),
    # Options of programs, which a log or an error quotes.
    ("curl", r"\bcurl\b[^\n]{0,2000}?\s(?:-u|-U|--user|--proxy-user)[ =]?['\"]?[^\s'\":]+:([^\s'\"]+)"),
    ("curl", r"\bcurl\b[^\n]{0,2000}?\s(?:-b|--cookie)[ =]?['\"]?([^\s'\"@][^'\"\s]*=[^\s'\"]+)"),
    ("curl", r"\bcurl\b[^\n]{0,2000}?\s--oauth2-bearer[ =]['\"]?([^\s'\"]+)"),
    ("redis-cli", r"\bredis-cli\b[^\n]{0,2000}?\s(?:-a|--pass)[ =]?['\"]?([^\s'\"]+)"),
    ("sshpass", r"\bsshpass +-p *['\"]?([^\s'\"]+)"),
    ("mysql", r"\bmysql(?:dump|admin)?\b[^\n]{0,2000}?\s-p(?=\S)['\"]?([^\s'\"]+)"),
    ("docker login", r"\bdocker login\b[^\n]{0,2000}?\s-p[ =]?['\"]?([^\s'\"]+)"),
)
_ALWAYS = tuple((needle, re.compile(form)) for needle, form in _FORMS)
"""What a text has in any case -> the expression whose group is the credential."""
_SQL = re.compile(
    r"(?<!['\"])\b(?:IDENTIFIED(?: +WITH +\S+)? +BY(?: +PASSWORD)?|PASSWORD)"
    r"(?:\s*=\s*|\s+)(?:PASSWORD\()?'((?:[^']|'')+)'",
    re.IGNORECASE,
)
_PAIR = re.compile(r"""[(\[]\s*b?(["'])([\w.-]{1,100})\1\s*,\s*b?(["'])((?:(?!\3)[^\\]|\\.)+)\3\s*[)\]]""", re.ASCII)
"""A pair of a name and a value, as lists of headers and of gRPC metadata are shown."""
_NAMED = re.compile(
    r"""\b(?:key|name|header)["']?\s*[=:]\s*b?["']([\w.-]{1,100})["'][\s,]+"""
    r"""["']?(?:value|content)["']?\s*[=:]\s*b?(["'])((?:(?!\2)[^\\]|\\.)+)\2""",
    re.ASCII | re.IGNORECASE,
)
"""The same with words: `key='authorization', value='...'`, and in HTML `name="csrf_token" value="..."`."""
_ELEMENT = re.compile(r"<(?:[\w.-]{1,40}:)?([\w.-]{1,100})(?:\s[^<>]{0,200})?>([^<>\s]{1,2000})</", re.ASCII)
"""An element of XML with a text."""
_SETTING = re.compile(r"(?<![\w.-])([\w.-]{1,100}+) ?= ?('(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"|[^\s'\";,]+)", re.ASCII)
"""One of several settings in a row, as in a connection string: `host=db password=x user=app`."""


def spans_by_form(text: str) -> Iterator[tuple[int, int]]:
    """Yield where credentials stand in a text; pieces may overlap."""
    for needle, expression in _ALWAYS:
        if needle in text:
            yield from (found.span(1) for found in expression.finditer(text))
    if "'" in text and ("BY" in text or "by" in text or "PASSWORD" in text.upper()):
        yield from (found.span(1) for found in _SQL.finditer(text))
    if "," in text:
        pairs = (found for found in _PAIR.finditer(text) if looks_secret(found[2]))
        yield from (found.span(4) for found in pairs if looks_generated(found[4]))
    if "value" in text or "content" in text:
        yield from (found.span(3) for found in _NAMED.finditer(text) if looks_secret(found[1]))
    if "</" in text:
        elements = (found for found in _ELEMENT.finditer(text) if looks_secret(found[1]))
        yield from (found.span(2) for found in elements if found[1].lower() != "token" or looks_generated(found[2]))
    if text.count("=") > 1 and " " in text:
        yield from _in_settings(text)


def _in_settings(text: str) -> Iterator[tuple[int, int]]:
    """Yield the values of secret names among settings that follow one another, apart by a blank."""
    settings = list(_SETTING.finditer(text))
    for at, found in enumerate(settings):
        if not looks_secret(found[1]):
            continue
        before = at > 0 and text[settings[at - 1].end() : found.start()] == " "
        after = at + 1 < len(settings) and text[found.end() : settings[at + 1].start()] == " "
        if before or after:
            quoted = found[2][:1] in ("'", '"')
            yield (found.start(2) + quoted, found.end(2) - quoted)
