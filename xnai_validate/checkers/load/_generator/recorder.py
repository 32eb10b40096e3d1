"""What is kept of single requests on demand: slices of time, and a line of JSON for each in a file."""

from __future__ import annotations

import json
import math
import os
import tempfile
from pathlib import Path

from xnai_validate.checkers.load._generator.line import Line
from xnai_validate.checkers.load._generator.tally import US, Tally
from xnai_validate.kit import Histogram, JsonObject, JsonValue, Unmeasurable

LINES_CAP = 100_000
"""A record has at most this number of lines, some 15 MB."""
ABANDONED, CANCELLED, NOT_SENT = "abandoned", "cancelled", "not_sent"
"""Outcomes besides statuses and kinds of errors."""


class Slice:
    """The requests that were to begin in one slice of time."""

    __slots__ = ("answered", "due", "errors", "first_token", "latency")

    def __init__(self) -> None:
        self.due = self.answered = self.errors = 0
        self.latency = Histogram()
        """From the intended start to the end of a whole answer, in us."""
        self.first_token = Histogram()

    def to_part(self) -> JsonObject:
        """Return the counts of the slice as plain data for `add`."""
        times = {"latency": self.latency.to_json(), "first_token": self.first_token.to_json()}
        return {"due": self.due, "answered": self.answered, "errors": self.errors, **times}  # type: ignore[dict-item]

    def add(self, part: JsonValue) -> None:
        """Add what the same slice counted in another process."""
        if not isinstance(part, dict):
            raise ValueError("a slice is not a mapping")
        self.due += int(str(part["due"]))
        self.answered += int(str(part["answered"]))
        self.errors += int(str(part["errors"]))
        self.latency.merge(Histogram.from_json(part["latency"]))
        self.first_token.merge(Histogram.from_json(part["first_token"]))

    def to_json(self, at_s: float, length_s: float) -> JsonObject:
        """Return the figures of the slice."""
        figures: JsonObject = {
            "at_s": round(at_s, 3),
            "due": self.due,
            "answered": self.answered,
            "errors": self.errors,
            "answered_rps": round(self.answered / length_s, 3),
            "p50_ms": _percentile_ms(self.latency, 0.5),
            "p99_ms": _percentile_ms(self.latency, 0.99),
        }
        if self.first_token.count:
            figures["first_token_p50_ms"] = _percentile_ms(self.first_token, 0.5)
            figures["first_token_p99_ms"] = _percentile_ms(self.first_token, 0.99)
        return figures


def _percentile_ms(histogram: Histogram, q: float) -> float | None:
    """Return a percentile in milliseconds."""
    us = histogram.quantile(q)
    return None if us is None else us / 1000


class Recorder:
    """Takes every request of a load, without its warm-up, as it ends."""

    def __init__(self, slice_s: float | None, for_s: float, path: str | None) -> None:
        self._slice_s = slice_s
        self._path = path
        count = math.ceil(for_s / slice_s - 1e-9) if slice_s else 0
        self._slices = [Slice() for _ in range(count)]
        self._lines = bytearray()
        self._count = 0
        self._load: Tally | None = None
        self.is_used = bool(self._slices) or path is not None

    def verify_path(self) -> None:
        """Raise Unmeasurable where no record could be written to the file."""
        path = self._path
        if path is not None and os.path.lexists(path) and (os.path.islink(path) or not os.path.isfile(path)):
            raise Unmeasurable(f"{path} is no regular file, so no record of the requests is written to it")

    @property
    def line_count(self) -> int | None:
        """Lines of the record; None without one."""
        return None if self._path is None else self._count

    def begin(self, load: Tally) -> None:
        """Take the requests of this phase."""
        self._load = load

    def ended(self, line: Line, outcome: str, now: float, *, is_error: bool = True) -> None:
        """Note that a request has ended; `outcome` is its status, its kind of error, or why it counts as neither."""
        tally = self._load
        if not self.is_used or tally is None or line.tally is not tally:
            return
        details = line.details()
        if self._slices:
            part = self._slice_at(line.intended - tally.begun)
            part.due += 1
            part.errors += is_error
            if not is_error and outcome not in (ABANDONED, CANCELLED):
                part.answered += 1
                part.latency.record(int((now - line.intended) * US))
            first_ms = details.get("first_token_ms")
            if isinstance(first_ms, float):
                part.first_token.record(int(first_ms * 1000))
        times = {name: at - tally.begun for name, at in (("due", line.intended), ("sent", line.sent), ("ended", now))}
        self._add_line(outcome, times, details)

    def not_sent(self, phase: Tally, intended: float, now: float) -> None:
        """An arrival has found no connection in time."""
        if phase is not self._load:
            return
        if self._slices:
            part = self._slice_at(intended - phase.begun)
            part.due += 1
            part.errors += 1
        self._add_line(NOT_SENT, {"due": intended - phase.begun, "ended": now - phase.begun}, {})

    def _slice_at(self, after_s: float) -> Slice:
        """Return the slice of time in which a request falls."""
        assert self._slice_s is not None
        return self._slices[min(max(0, int(after_s / self._slice_s)), len(self._slices) - 1)]

    def _add_line(self, outcome: str, times_s: dict[str, float], details: JsonObject) -> None:
        """Add the line of a request to the file, up to the cap."""
        if self._path is None or self._count >= LINES_CAP:
            return
        times = {f"{name}_ms": round(s * 1000, 3) for name, s in times_s.items()}
        self._lines += json.dumps({**times, "outcome": outcome, **details}).encode() + b"\n"
        self._count += 1

    def part(self) -> JsonObject:
        """Return what was recorded as plain data for `add`."""
        slices: list[JsonValue] = [part.to_part() for part in self._slices]
        return {"slices": slices, "lines": self._lines.decode(), "count": self._count}

    def add(self, part: JsonObject) -> None:
        """Add what the recorder of another process took of the same load. Raises ValueError for other data."""
        for mine, other in zip(self._slices, _require_list(part["slices"]), strict=True):
            mine.add(other)
        lines = (self._lines.decode() + str(part["lines"])).splitlines(keepends=True)
        lines.sort(key=lambda line: float(json.loads(line)["ended_ms"]))
        self._lines = bytearray("".join(lines[:LINES_CAP]).encode())
        self._count = min(LINES_CAP, len(lines))

    def write(self) -> None:
        """Write the record, where one was asked for. Raises Unmeasurable where the file cannot be written."""
        if self._path is None:
            return
        try:
            _replace(Path(self._path), self._lines)
        except OSError as error:
            raise Unmeasurable(
                f"the record of the requests could not be written to {self._path}: {error.strerror or error}",
                hint="name a file in a folder that exists and that this user may write to",
            ) from error

    def to_json(self) -> JsonValue:
        """The slices in order; None where none were asked for."""
        if self._slice_s is None:
            return None
        return [part.to_json(number * self._slice_s, self._slice_s) for number, part in enumerate(self._slices)]


def _require_list(value: JsonValue) -> list[JsonValue]:
    """Return the value. Raises ValueError if it is not a list."""
    if not isinstance(value, list):
        raise ValueError("not a list")
    return value


def _replace(path: Path, content: bytearray) -> None:
    """Write a file aside and rename it. Raises OSError; then what was there is unchanged."""
    handle, temporary = tempfile.mkstemp(prefix=f".{path.name[:100]}.", suffix=".part", dir=path.parent)
    try:
        with open(handle, "wb") as file:
            file.write(content)
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
