"""Instants as servers write them: ISO 8601, dates of HTTP and of mail, numbers of seconds since 1970."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

_EPOCH_UNITS = ((1e11, 1.0), (1e14, 1e3), (1e17, 1e6), (1e20, 1e9))
"""Below the first number, an epoch counts in units of which one second has the second: s, ms, us, ns.

10 to the 11th seconds are the year 5138, and as milliseconds the year 1973: no plausible time is read in two ways.
"""
EARLIEST_S = 1e8
"""Smaller numbers are no times: they would be before March 1973."""


def http_date_s(text: str) -> float | None:
    """Return the seconds since 1970 of a date of HTTP, in any of the three forms that recipients must accept.

    None for anything else. A date without a zone (asctime) is in GMT (RFC 9110, 5.6.7).
    """
    try:
        date = parsedate_to_datetime(text)
    except (ValueError, TypeError, OverflowError):
        return None
    return (date if date.tzinfo else date.replace(tzinfo=UTC)).timestamp()


def instant_s(value: object) -> float | None:
    """Return the seconds since 1970 of a time in a document, or None where it is none.

    Accepts ISO 8601 with a zone (`2026-01-31T12:00:00Z`), dates of HTTP and mail, and numbers since 1970 in seconds,
    milliseconds, microseconds or nanoseconds, also as text. A time without a zone is none: it depends on its reader.
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
    try:
        date = datetime.fromisoformat(text)
    except ValueError:
        return http_date_s(text) if "," in text or text[:3].isalpha() else None
    return date.timestamp() if date.tzinfo else None


def _epoch_s(number: float) -> float | None:
    """Return seconds since 1970 for a number of seconds, milliseconds, microseconds or nanoseconds, by its size."""
    if not number >= EARLIEST_S:
        return None
    return next((number / per_second for below, per_second in _EPOCH_UNITS if number < below), None)
