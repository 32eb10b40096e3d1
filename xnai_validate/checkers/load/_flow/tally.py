"""What is counted of the conversations of one phase of a load, step by step."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from xnai_validate.checkers.load._generator.tally import Tally
from xnai_validate.kit import Histogram

US_PER_MS = 1000


class StepTimes:
    """The times of one step over all conversations, in us."""

    __slots__ = ("first_token", "gap", "total")

    def __init__(self) -> None:
        self.total, self.first_token, self.gap = Histogram(), Histogram(), Histogram()


class FlowTally(Tally):
    """Counts and times of conversations and of their steps."""

    __slots__ = ("broken", "made", "steps")

    def __init__(self, begun: float, for_s: float, timeout_s: float) -> None:
        super().__init__(begun, for_s, timeout_s)
        self.made: Counter[str] = Counter()
        """Name of a step -> how often it was made."""
        self.broken: Counter[str] = Counter()
        """Name of a step -> how often it did not hold."""
        self.steps: dict[str, StepTimes] = {}

    def take(self, facts: Mapping[str, Any]) -> None:
        """Count the steps of a conversation by the facts of its flow."""
        for line in facts["steps"]:
            if line["held"] is None:
                continue
            name = line["name"]
            self.made[name] += 1
            self.broken[name] += not line["held"]
            times = self.steps.setdefault(name, StepTimes())
            times.total.record(int(line["elapsed_ms"] * US_PER_MS))
            for histogram, by_step in (
                (times.first_token, facts["first_token_ms"]),
                (times.gap, facts["longest_gap_ms"]),
            ):
                if name in by_step:
                    histogram.record(int(by_step[name] * US_PER_MS))
