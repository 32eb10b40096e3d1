"""A histogram of durations: constant memory, a known error, mergeable.

Log-linear buckets, as in HdrHistogram (hdrhistogram.org): below 256 us every microsecond has a bucket of its own, and
above every doubling is divided into 128 buckets of equal width. So the width of a bucket is at most 1/128 of its
values, and its middle is at most 0.4 % from any of them.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from itertools import zip_longest

__all__ = ["FORMAT", "LONGEST_US", "Histogram"]

FORMAT = "xnai-histogram/1"
"""The format name in the JSON of a histogram; it stands for the arrangement of the buckets too."""
_BITS = 7
_EXACT = 2 << _BITS
_DOUBLINGS = 26
_BUCKETS = (_DOUBLINGS + 1) << _BITS
LONGEST_US = (_EXACT << (_DOUBLINGS - 1)) - 1
"""The longest duration with a bucket, 2.4 hours. A longer one counts there; `max_us` and the sum stay exact."""
_STEP = 1 << _BITS
"""Buckets that are made at once beyond the one that is needed."""
_TOO_MANY = 1 << 63


class Histogram:
    """Whole microseconds, counted in at most 3 456 buckets: 27 KiB, and the numbers in them.

    There are as many as the longest duration needs, 7 KiB where that is 10 ms: a load has a histogram for each of its
    windows.
    """

    __slots__ = ("_counts", "_max_us", "_min_us", "_sum_us")

    def __init__(self) -> None:
        self._counts = [0] * _EXACT
        self._sum_us = 0
        self._min_us = _TOO_MANY
        self._max_us = -1

    def record(self, us: int) -> None:
        """Count one duration in microseconds; one below zero counts as zero."""
        # `_bucket_of`, written out with its numbers: this is called for every response of a load.
        if us < 256:
            if us < 0:
                us = 0
            self._counts[us] += 1
        else:
            doubling = us.bit_length() - 8
            try:
                self._counts[(doubling << 7) + (us >> doubling)] += 1
            except IndexError:
                self._count(_bucket_of(us), 1)
        self._sum_us += us
        if us > self._max_us:
            self._max_us = us
        if us < self._min_us:
            self._min_us = us

    def _count(self, index: int, number: int) -> None:
        """Count in a bucket that may not be there yet."""
        missing = index + 1 - len(self._counts)
        if missing > 0:
            self._counts += [0] * min(missing + _STEP, _BUCKETS - len(self._counts))
        self._counts[index] += number

    def record_many(self, durations_us: Iterable[int]) -> None:
        """Count many durations in microseconds."""
        record = self.record
        for us in durations_us:
            record(us)

    def merge(self, other: Histogram) -> None:
        """Add everything that another histogram counted."""
        self._counts = [mine + theirs for mine, theirs in zip_longest(self._counts, other._counts, fillvalue=0)]
        self._sum_us += other._sum_us
        self._min_us = min(self._min_us, other._min_us)
        self._max_us = max(self._max_us, other._max_us)

    @property
    def count(self) -> int:
        """Durations counted. (Added up when asked: a counter would make `record` slower.)"""
        return sum(self._counts)

    @property
    def min_us(self) -> int | None:
        """The shortest duration, exact; None if nothing was recorded."""
        return self._min_us if self._max_us >= 0 else None

    @property
    def max_us(self) -> int | None:
        """The longest duration, exact; None if nothing was recorded."""
        return self._max_us if self._max_us >= 0 else None

    @property
    def mean_us(self) -> float | None:
        """The arithmetic mean, exact; None if nothing was recorded."""
        count = self.count
        return self._sum_us / count if count else None

    def quantile(self, q: float) -> float | None:
        """Return the duration in microseconds that the share `q` (0 to 1) does not exceed; None if it is empty.

        By nearest rank: the smallest recorded duration with at least `q` of all at or below it, as the middle of its
        bucket, so at most 0.4 % from the exact one. 0 and 1 give the shortest and the longest, exact.
        """
        if not 0 <= q <= 1:
            raise ValueError(f"a quantile lies between 0 and 1, not at {q}")
        count = self.count
        # Rounded first, for 0.07 * 100 is a little more than 7.
        rank = math.ceil(round(q * count, 6))
        if not count or rank <= 1:
            return self.min_us
        if rank >= count:
            return self.max_us
        seen = 0
        for index, number in enumerate(self._counts):
            seen += number
            if seen >= rank:
                low, high = _edges(index)
                return min(max((low + high) / 2, self._min_us), self._max_us)
        raise AssertionError("the ranks end with the count")

    def at_most(self, us: float) -> int:
        """How many durations lie in the bucket of `us` or below it."""
        return sum(self._counts[: _bucket_of(max(int(us), 0)) + 1])

    def to_json(self) -> dict[str, object]:
        """The histogram as JSON: `{format, unit, buckets: [[index, count], ...], min, max, sum}`, filled buckets only.

        Bucket `i` below 256 counts the duration of `i` us; above, with `d = i // 128 - 1`, the durations from
        `(i - 128 d) << d` on, `1 << d` of them. `min` and `max` are null where nothing was counted.
        """
        return {
            "format": FORMAT,
            "unit": "us",
            "buckets": [[index, count] for index, count in enumerate(self._counts) if count],
            "min": self.min_us,
            "max": self.max_us,
            "sum": self._sum_us,
        }

    @classmethod
    def from_json(cls, document: object) -> Histogram:
        """The histogram that `to_json` wrote. Raises ValueError for anything else, with what is wrong with it."""
        if not isinstance(document, Mapping):
            raise ValueError(f"not a histogram: {type(document).__name__} instead of a mapping")
        for name, expected in (("format", FORMAT), ("unit", "us")):
            if document.get(name) != expected:
                raise ValueError(f"not a histogram of ours: {name} is {document.get(name)!r:.40}, not {expected!r}")
        histogram = cls()
        filled = _verify_buckets(document.get("buckets"))
        for index, count in filled:
            histogram._count(index, count)
        if not filled:
            if any(document.get(name) not in (None, 0) for name in ("min", "max", "sum")):
                raise ValueError("not a histogram: min, max or sum without a bucket")
            return histogram
        shortest, longest = _verify_count(document.get("min"), "min"), _verify_count(document.get("max"), "max")
        if _bucket_of(shortest) != filled[0][0] or _bucket_of(longest) != filled[-1][0] or shortest > longest:
            raise ValueError("not a histogram: min and max do not lie in the first and the last bucket")
        total, count = _verify_count(document.get("sum"), "sum", _TOO_MANY**2), histogram.count
        if not shortest * count <= total <= longest * count:
            raise ValueError("not a histogram: its sum does not fit its buckets")
        histogram._min_us, histogram._max_us, histogram._sum_us = shortest, longest, total
        return histogram


def _bucket_of(us: int) -> int:
    """Return the number of the bucket that counts a duration in microseconds."""
    if us < _EXACT:
        return us
    doubling = us.bit_length() - _BITS - 1
    return (doubling << _BITS) + (us >> doubling) if doubling < _DOUBLINGS else _BUCKETS - 1


def _edges(index: int) -> tuple[int, int]:
    """The shortest and the longest duration of a bucket."""
    if index < _EXACT:
        return index, index
    doubling = (index >> _BITS) - 1
    low = (index - (doubling << _BITS)) << doubling
    return low, low + (1 << doubling) - 1


def _verify_buckets(buckets: object) -> list[tuple[int, int]]:
    """Return index and count of the filled buckets. Raises ValueError if they are invalid."""
    if not isinstance(buckets, list):
        raise ValueError("not a histogram: buckets is not a list")
    filled: list[tuple[int, int]] = []
    for pair in buckets:
        if not isinstance(pair, list) or len(pair) != 2:
            raise ValueError("not a histogram: a bucket is not a pair of index and count")
        index, count = _verify_count(pair[0], "an index"), _verify_count(pair[1], "a count")
        if index >= _BUCKETS or count == 0 or (filled and index <= filled[-1][0]):
            raise ValueError("not a histogram: indices rise and have a bucket, and counts are above 0")
        filled.append((index, count))
    return filled


def _verify_count(value: object, what: str, most: int = _TOO_MANY) -> int:
    """Return the value. Raises ValueError if it is not an integer from 0 to below `most`."""
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < most:
        raise ValueError(f"not a histogram: {what} is not a whole number that is possible")
    return value
