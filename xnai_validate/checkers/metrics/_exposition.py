"""Parse metrics by the parser of Prometheus' Python client, and keep the names that the text has.

Formats: https://prometheus.io/docs/instrumenting/exposition_formats/ and https://prometheus.io/docs/specs/om/.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from io import StringIO
from threading import Event
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from prometheus_client.metrics_core import Metric
    from prometheus_client.samples import Sample

SAMPLES_CAP = 5000
"""Single samples that are kept by name and labels; the sums know all of them."""
LINE_CAP = 65_536
LINES_CAP = 200_000
PROBLEM_CAP = 300
_COUNTER = re.compile(r'\s*#\s+TYPE\s+(?:"(?P<quoted>(?:[^"\\]|\\.)*)"|(?P<plain>\S+))\s+counter\s*$')


@dataclass(slots=True)
class Exposition:
    """Families and samples under the names that are exposed."""

    families: dict[str, str] = field(default_factory=dict)
    """Family -> its type."""
    sums: defaultdict[str, float] = field(default_factory=lambda: defaultdict(float))
    """Name of samples -> their sum over all labels."""
    single: dict[str, float] = field(default_factory=dict)
    """`name{a="b"}` -> value, labels in order."""
    count: int = 0
    """Single samples."""
    label_sets: defaultdict[str, set[int]] = field(default_factory=lambda: defaultdict(set))
    """Family -> hashes of its label sets; the sets themselves would take ten times the memory."""

    def add(self, name: str, kind: str, samples: Sequence[Sample]) -> None:
        """Add the samples of a family.

        The parser returns a family without a TYPE line in several parts, so this may be called again for a name.
        """
        self.families.setdefault(name, kind)
        sets = self.label_sets[name]
        for sample in samples:
            self.count += 1
            self.sums[sample.name] += sample.value
            if sample.labels and len(self.single) < SAMPLES_CAP:
                self.single[_sample_key(sample)] = sample.value
            sets.add(hash(frozenset(pair for pair in sample.labels.items() if pair[0] not in ("le", "quantile"))))

    def value(self, name: str) -> float | None:
        """The sum of a name; of a histogram's or summary's family, the sum of its counts; None without samples."""
        for exposed in (name, f"{name}_total", f"{name}_count", f"{name}_info"):
            if exposed in self.sums:
                return self.sums[exposed]
        return None


def parse(body: bytes, *, openmetrics: bool, stop: Event | None = None) -> tuple[Exposition, str | None]:
    """Return the families and samples of an exposition as far as it can be read, and what is wrong with it.

    `openmetrics`: it is in the format of OpenMetrics, else in the text format of Prometheus. `stop`: set to end
    parsing when the result is not needed any longer.
    """
    if openmetrics:
        from prometheus_client.openmetrics.parser import text_fd_to_metric_families
    else:
        from prometheus_client.parser import text_fd_to_metric_families

    exposition, counters = Exposition(), CounterNames()
    try:
        lines = counters.record_names(_bounded_lines(body.decode("utf-8"), stop or Event()))
        families: Iterable[Metric] = text_fd_to_metric_families(lines)  # type: ignore[no-untyped-call]
        for family in families:
            if openmetrics or family.type != "counter":
                exposition.add(family.name, family.type, family.samples)
            else:
                name = counters.name_in_text(family.name)
                exposition.add(name, family.type, [sample._replace(name=name) for sample in family.samples])
    except _TooMuch as error:
        return exposition, str(error)
    except (ValueError, LookupError, AttributeError, TypeError, ArithmeticError) as error:
        # The parser reports a malformed line by whichever of these it runs into.
        return exposition, f"{type(error).__name__}: {error}"[:PROBLEM_CAP]
    return exposition, None if exposition.families else "there is not a single metric"


class CounterNames:
    """The names of counters as a text in format 0.0.4 has them.

    The parser renames counters as OpenMetrics names them: family `x` with samples `x_total`, whether the text has
    `x_total` or `x`.
    """

    def __init__(self) -> None:
        self._waiting: defaultdict[str, list[str]] = defaultdict(list)
        """The parser's name of a family -> names in the text whose family was not given yet."""

    def record_names(self, lines: Iterable[str]) -> Iterator[str]:
        """Yield the lines unchanged, and record the names of the counters that they declare."""
        for line in lines:
            if match := _COUNTER.match(line):
                quoted = match["quoted"]
                name = match["plain"] if quoted is None else re.sub(r"\\(.)", r"\1", quoted)
                waiting = self._waiting[name.removesuffix("_total")]
                if waiting[-1:] != [name]:
                    waiting.append(name)
            yield line

    def name_in_text(self, family: str) -> str:
        """Return the name that the text has for the next family that the parser calls `family`."""
        waiting = self._waiting[family]
        return waiting.pop(0) if waiting else family


class _TooMuch(Exception):
    """The exposition goes beyond its bounds."""


def _bounded_lines(text: str, stop: Event) -> Iterator[str]:
    """Yield the lines of an exposition; long ones are refused, since the parser takes quadratic time over labels."""
    for number, line in enumerate(StringIO(text), start=1):
        if len(line) > LINE_CAP:
            raise _TooMuch(f"line {number} has more than {LINE_CAP} characters")
        if number > LINES_CAP:
            raise _TooMuch(f"the text has more than {LINES_CAP} lines")
        if stop.is_set():
            raise _TooMuch("parsing was stopped")
        yield line


def _sample_key(sample: Sample) -> str:
    """Return a sample's name and labels as they stand in the text format."""
    labels = ",".join(f'{name}="{_escape(value)}"' for name, value in sorted(sample.labels.items()))
    return f"{sample.name}{{{labels}}}"


def _escape(value: str) -> str:
    """Escape the value of a label."""
    return value.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
