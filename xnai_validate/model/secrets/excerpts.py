"""Lines of files that errors show: the credentials in them are blanked, and every column stays where it is."""

from __future__ import annotations

import re
from collections.abc import Iterator

from xnai_validate.model.secrets.names import looks_secret

_NAME = re.compile(r"(?<![\w.-])([\w.-]{1,100}+)[\"']?\s*+[:=]\s*+", re.ASCII)
_VALUE = re.compile(
    r"""(?:"([^"\\]*+(?:\\.[^"\\]*+)*+)|'([^']++)|([^\s"'{}\[\],&#|>!][^\s{}\[\],&#"']*+))""",
)
"""A name and its value in YAML, JSON, a query or a file of variables. A line may have a megabyte: no part is tried
twice."""
_UNNAMED = re.compile(r"://([^/\s\"'<>]+)@|\b(?:bearer|basic|token) (?![A-Za-z]+\b)([\w.~+/=-]{8,})", re.IGNORECASE)
"""Userinfo of a url, and what follows the scheme of an Authorization header."""
_WORDS = frozenset({"true", "false", "null", "none", "unset"})
"""Values that are no secret under any name."""


def without_credentials(line: str) -> str:
    """Return a line of a file in which asterisks stand for the values of secret names and other credentials.

    References to the environment or to vars stay, and the names of variables (`password_env`).
    """
    begin = 0
    pieces: list[str] = []
    spans = [*_spans_of_values(line), *(found.span(found.lastindex or 0) for found in _UNNAMED.finditer(line))]
    for first, last in sorted(spans):
        if first >= begin and "${" not in line[first:last]:
            pieces += (line[begin:first], "*" * (last - first))
            begin = last
    return "".join((*pieces, line[begin:]))


def _spans_of_values(line: str) -> Iterator[tuple[int, int]]:
    """Yield where the values of secret names stand; what is within such a value has no names."""
    end = 0
    for named in _NAME.finditer(line):
        if named.start() >= end and (span := _span_of_value(named, line)) is not None:
            yield span
            end = span[1]


def _span_of_value(named: re.Match[str], line: str) -> tuple[int, int] | None:
    """Return where the value behind a name stands; None unless the name is secret and the value may be a secret."""
    if not looks_secret(named[1]) or named[1].lower().endswith("_env"):
        return None
    value = _VALUE.match(line, named.end())
    if value is None:
        return None
    index = value.lastindex or 0
    return None if value[index].lower() in _WORDS else value.span(index)
