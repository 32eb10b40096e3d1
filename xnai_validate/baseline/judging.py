"""Whether a figure differs between runs: the test, and what to do where there are many of them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from xnai_validate.baseline.figures import Band, Figure
from xnai_validate.baseline.student import quantile, upper_tail

ALPHA = 0.01
"""The most false alarms: the share of comparisons of identical runs in which any figure is called a regression."""
PRIOR_RUNS = 3.0
"""How many runs the assumed spread between runs is worth against what the runs at hand show."""


@dataclass(frozen=True, slots=True)
class Change:
    """How much a figure changed, on a logarithmic scale."""

    log: float
    """The natural logarithm of after / before."""
    error: float
    """Its standard error, that of the machine's state from run to run included."""
    degrees: float
    """The degrees of freedom of the error."""

    @property
    def ratio(self) -> float:
        """After / before."""
        return math.exp(self.log)

    def interval(self, tail: float = ALPHA) -> tuple[float, float]:
        """The confidence interval of the ratio: its true value lies below or above it with probability `tail` each."""
        reach = quantile(tail, self.degrees) * self.error
        return math.exp(self.log - reach), math.exp(self.log + reach)

    def p_worse(self) -> float:
        """The probability of an increase this large if nothing changed."""
        return upper_tail(self.log / self.error, self.degrees)

    def p_better(self) -> float:
        """The probability of a decrease this large if nothing changed."""
        return upper_tail(-self.log / self.error, self.degrees)


def change(before: Sequence[Figure], after: Sequence[Figure], band: Band) -> Change:
    """The change of a figure between two groups of runs, each of one run or more.

    The model: the logarithm of a figure in a run is that of the stack, and the run's own deviation (the state of the
    machine), and the error within the run. The variance of the runs' deviations is estimated from the scatter of the
    runs within their groups beyond what the error within the runs explains, and drawn towards the assumed spread of
    the band, which weighs as much as `PRIOR_RUNS` runs: a few runs alone do not show a variance (the moderated t of
    Smyth 2004, Statistical Applications in Genetics and Molecular Biology 3). Assumed, then: that the runs of a
    baseline are as different from each other as a later run is from them, and, with one run in each group, that runs
    scatter about as much as the band takes them to.
    """
    groups = [list(before), list(after)]
    within = [sum(figure.variance for figure in group) / len(group) for group in groups]
    degrees, between = PRIOR_RUNS, PRIOR_RUNS * band.spread**2
    for group in groups:
        logs = [math.log(figure.value) for figure in group]
        mean = sum(logs) / len(logs)
        between += sum((log - mean) ** 2 for log in logs)
        between -= (len(group) - 1) * sum(figure.variance for figure in group) / len(group)
        degrees += len(group) - 1
    between = max(0.0, between / degrees)
    error = math.sqrt(sum((between + own) / len(group) for own, group in zip(within, groups, strict=True)))
    centres = [sum(math.log(figure.value) for figure in group) / len(group) for group in groups]
    return Change(centres[1] - centres[0], error, degrees)


def holm(probabilities: Sequence[float], alpha: float = ALPHA) -> list[bool]:
    """Which hypotheses are rejected so that a false rejection among all of them is at most `alpha` probable.

    Holm 1979, Scandinavian Journal of Statistics 6: the smallest of m probabilities is compared with alpha / m, the
    next with alpha / (m - 1), and so on to the first that is not below. It holds whatever the dependence between them.
    """
    rejected = [False] * len(probabilities)
    order = sorted(range(len(probabilities)), key=probabilities.__getitem__)
    for place, index in enumerate(order):
        if probabilities[index] > alpha / (len(probabilities) - place):
            break
        rejected[index] = True
    return rejected
