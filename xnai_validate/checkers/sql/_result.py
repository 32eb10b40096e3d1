"""What a database returned, whichever it is, and its values as JSON."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from uuid import UUID

from xnai_validate.kit import JsonValue, XnaiError, bounded

BINARY_CAP = 256
"""Bytes of a binary value that are shown."""


@dataclass(frozen=True, slots=True)
class Query:
    """A query, and how it may run."""

    text: str
    args: Sequence[str | int | float | bool | None]
    writes: bool
    rows_cap: int
    timeout_s: float


@dataclass(frozen=True, slots=True)
class Server:
    """What is known about a database once it is connected."""

    name: str
    """`postgresql`, `mysql`, `mariadb` or `sqlite`."""
    version: str
    connect_ms: float


@dataclass(frozen=True, slots=True)
class Rows:
    """The rows of a query, as far as they are kept."""

    columns: tuple[str, ...]
    values: tuple[tuple[JsonValue, ...], ...]
    more: bool
    """Whether there are more rows than are kept."""
    affected: int | None
    """The number of rows that a writing statement has changed."""
    query_ms: float


class QueryError(XnaiError):
    """The database refused the connection or the query, in its own words; `code` is its code for that."""

    def __init__(self, message: str, code: str | None = None) -> None:
        super().__init__(message[:500])
        self.code = code


def rows_of(
    columns: Iterable[str], rows: Sequence[Sequence[object]], cap: int, affected: int | None, query_ms: float
) -> Rows:
    """At most `cap` rows with their values as JSON."""
    values = tuple(tuple(json_value(value) for value in row) for row in rows[:cap])
    return Rows(tuple(columns), values, len(rows) > cap, affected, query_ms)


def json_value(value: object) -> JsonValue:
    """A value of a database as JSON.

    Times are texts (ISO 8601) and durations seconds; binary values are hexadecimal, with `0x` before them.
    """
    if isinstance(value, Decimal):
        return _as_json(value)
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, bytes | bytearray | memoryview):
        data = bytes(value[: BINARY_CAP + 1])
        return f"0x{data[:BINARY_CAP].hex()}{'...' if len(data) > BINARY_CAP else ''}"
    return bounded(value)


def _as_json(value: Decimal) -> JsonValue:
    """Return a decimal number as JSON: an integer, a float, or a text where it is not finite."""
    if not value.is_finite():
        return str(value)
    whole = value == value.to_integral_value() and abs(value) < 10**18
    return int(value) if whole else float(value)
