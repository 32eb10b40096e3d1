"""Instants as servers write them: ISO 8601, dates of HTTP and of mail, numbers of seconds since 1970."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

_EPOCH_UNITS = ((1e11, 1.0), (1e14, 1e3), (1e17, 1e6), (1e20, 1e9))
"""Below the first number, an epoch counts in units of which one second has the second: s, ms, us, ns.

10 to the 11th seconds are the year 5138, and as milliseconds the year 1973: no plausible time is read in two ways.
"""
_ISO = re.compile(
    r"(\d{4}-?(?:\d\d-?\d\d|W\d\d-?\d))[Tt ](\d\d(?::?\d\d(?::?\d\d(?:[.,]\d+)?)?)?)"
    r" ?(?:([Zz]|UTC|GMT)|([+-]\d\d(?::?\d\d)?)(?: [A-Z]{1,5})?)"
)
"""ISO 8601 with a zone, its letters in either case (RFC 3339, 5.6), and as Go and SQL write it: `... +0000 UTC`."""
_LEAP = re.compile(r"(\d\d:?\d\d:?)60")
"""A time in a leap second, which RFC 3339 allows and datetime does not."""
_ZONE = re.compile(r"\b(?!(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)[a-z]*\b|(?:UTC?|GMT|Z)\b)(?=[A-Z])[A-Za-z]+\b")
_MONTHS = frozenset({"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"})
EARLIEST_S = 1e8
"""Smaller numbers are not times: they would be before March 1973."""


def http_date_s(text: str) -> float | None:
    """Return the seconds since 1970 of a date of HTTP, in any of the three forms that recipients must accept.

    None for anything else, also for a date with the name of a zone that is not defined (RFC 5322, 4.3), such as CET. A
    date without a zone (asctime) is in GMT (RFC 9110, 5.6.7).
    """
    try:
        date = parsedate_to_datetime(text)
    except (ValueError, TypeError, OverflowError):
        return None
    if date.tzinfo is None and any(word[:3] not in _MONTHS for word in _ZONE.findall(text)):
        return None
    return (date if date.tzinfo else date.replace(tzinfo=UTC)).timestamp()


def instant_s(value: object) -> float | None:
    """Return the seconds since 1970 of a time in a document; None if the value is not a time.

    Accepts ISO 8601 with a zone (`2026-01-31T12:00:00Z`), dates of HTTP and mail, and numbers since 1970 in seconds,
    milliseconds, microseconds or nanoseconds, also as text. Returns None for a time without a zone: which instant it
    is depends on its reader.
    """
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        return _epoch_s(value)
    if not isinstance(value, str) or len(value) > 100:
        return None
    text = value.strip()
    try:
        return _epoch_s(float(text))
    except ValueError:
        pass
    found = _ISO.fullmatch(text)
    if found is None:
        return http_date_s(text) if "," in text or text[:3].isalpha() else None
    day, time, _, offset = found.groups()
    leap = _LEAP.match(time)
    try:
        date = datetime.fromisoformat(f"{day}T{leap[1] + '59' if leap else time}{offset or '+00:00'}")
    except ValueError:
        return None
    return (date + timedelta(seconds=1 if leap else 0)).timestamp()


def _epoch_s(number: float) -> float | None:
    """Return seconds since 1970 for a number of seconds, milliseconds, microseconds or nanoseconds, by its size."""
    if not number >= EARLIEST_S:
        return None
    return next((number / per_second for below, per_second in _EPOCH_UNITS if number < below), None)
