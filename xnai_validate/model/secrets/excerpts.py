"""Lines of files that errors show: the credentials in them are blanked, and every column stays where it is."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from xnai_validate.model.secrets.forms import Span, merged, spans_by_form
from xnai_validate.model.secrets.names import HARMLESS, looks_secret

_NAME = re.compile(r"(?<![\w.-])([\w.-]{1,100}+)[\"']?\s*+[:=]\s*+", re.ASCII)
_VALUE = re.compile(
    r"""(?:"([^"\\]*+(?:\\.[^"\\]*+)*+)|'([^']++)"""
    r"""|((?i:(?:apikey|basic|bearer|negotiate|token) )?"""
    r"""(?:\$\{[^}\n]*+\}?|[^\s"'{}\[\],&#|>!])(?:\$\{[^}\n]*+\}?|[^\s{}\[\],&#"'])*+))""",
    re.DOTALL,
)
"""A name and its value in YAML, JSON, a query or a file of variables. A line may have a megabyte: no part is tried
twice."""
_UNNAMED = re.compile(
    r"://([^/\s\"'<>]+)@"
    r"|\b(?:bearer|basic|token) (?![A-Za-z]+\b)([\w.~+/=-]{8,})",
    re.IGNORECASE,
)
"""Userinfo of a url, and what follows the scheme of an Authorization header."""
_KEPT = re.compile(
    r"\$\{(?:[A-Z_][A-Z0-9_]*(?:\}|:?[-+?])|[a-z][\w.-]*(?:\}|:[-+?]))"
    r"|(?<=:[-+?])\}|\n|\A(?i:apikey|basic|bearer|negotiate|token) (?=\$\{)",
    re.ASCII,
)
"""References to the environment or to vars up to their default, the brace after an empty one, the scheme before them,
and line breaks."""


def is_credential(name: str, value: str) -> bool:
    """Whether the value under a name is a credential, and not a flag."""
    return looks_secret(name) and value.lower() not in HARMLESS


def without_credentials(line: str, spans: Iterable[Span] = ()) -> str:
    """Return a line of a file in which asterisks stand for the values of secret names and other credentials.

    References to the environment or to vars stay, and the names of variables (`password_env`). `spans`: where others
    stand that the line alone does not show.
    """
    begin = 0
    pieces: list[str] = []
    for first, last in merged([*spans, *credentials_in(line)]):
        pieces += (line[begin:first], _blanked(line[first:last]))
        begin = last
    return "".join((*pieces, line[begin:]))


def credentials_in(text: str) -> Iterator[Span]:
    """Yield where credentials stand in a text of one or more lines: values of secret names, and others by form."""
    end = 0
    for named in _NAME.finditer(text):
        if named.start() >= end and (span := _span_of_value(named, text)) is not None:
            yield span
            end = span[1]
    yield from (found.span(found.lastindex or 0) for found in _UNNAMED.finditer(text))
    yield from spans_by_form(text)


def _span_of_value(named: re.Match[str], text: str) -> Span | None:
    """Return where the value of a secret name stands; None for a name or value that is none."""
    value = _VALUE.match(text, named.end()) if looks_secret(named[1]) else None
    if value is None:
        return None
    index = value.lastindex or 0
    return value.span(index) if is_credential(named[1], value[index]) else None


def _blanked(text: str) -> str:
    """Return as many asterisks; references stay up to their default, and line breaks."""
    pieces: list[str] = []
    begin = 0
    for kept in _KEPT.finditer(text):
        pieces += ("*" * (kept.start() - begin), kept[0])
        begin = kept.end()
    return "".join((*pieces, "*" * (len(text) - begin)))
