"""How often a comparison with a baseline is wrong, simulated with recorded runs; prints a line of JSON a recording.

A simulated run is one of the recorded runs, with its windows drawn anew in blocks of three neighbours (Kuensch 1989,
Annals of Statistics 17), so that the state of the machine in it and the dependence of its requests stay as they were
recorded. Runs that are drawn so are identical but for what the machine does: any regression among them is a false
alarm. Then one figure of the later run is multiplied; what is not called a regression then was missed.
"""

from __future__ import annotations

import json
import math
import random
import statistics
import sys
from collections.abc import Iterator, Sequence

from bench.samples.stored import RECORDINGS, recorded_runs
from xnai_validate.baseline.comparing import Pair, judge, pair_of
from xnai_validate.baseline.figures import Figure, Figures, band_of
from xnai_validate.baseline.record import RecordedCheck, RecordedRun
from xnai_validate.kit import JsonValue

SEED = 20261125
COPIES = 10
"""Runs that are drawn from each recorded window."""
COMPARISONS = 4000
BEFORE = 10
"""Runs of the baseline."""
BLOCK = 3
SHIFT = 1.15
Name = tuple[str, str]
"""A load and its figure."""
Run = dict[str, Figures]
"""The figures of a run by its loads."""


def main() -> None:
    """Simulate, and print what came of it."""
    for recording in RECORDINGS:
        rng = random.Random(SEED)
        pool = [[_drawn_run(run, rng) for _ in range(COPIES)] for run in recorded_runs(recording)]
        names = sorted({(load, name) for run in pool for load, figures in run[0].items() for name in figures})
        shifts = [_shift(pool, name, names, rng) for name in names]
        found = {"recording": recording, "runs": len(pool), "before": BEFORE, **_false_alarms(pool, names, rng)}
        sys.stdout.write(json.dumps({**found, "shifts": [window for window in shifts if window is not None]}) + "\n")


def _drawn_run(run: RecordedRun, rng: random.Random) -> Run:
    """The figures of a run that is drawn from a recorded window."""
    return {check.partition(":")[2]: _drawn_check(kept, rng).figures() for check, kept in run.checks.items()}


def _drawn_check(kept: RecordedCheck, rng: random.Random) -> RecordedCheck:
    if not isinstance(kept.latency_windows, dict):
        return kept
    windows = kept.latency_windows["windows"]
    assert isinstance(windows, list)
    drawn = {**kept.latency_windows, "windows": list(_blocks(windows, rng))}
    return RecordedCheck(facts=kept.facts, memory=kept.memory, latency_windows=drawn)


def _blocks(windows: Sequence[JsonValue], rng: random.Random) -> Iterator[JsonValue]:
    """As many windows, in blocks of neighbours."""
    for _ in range(-(-len(windows) // BLOCK)):
        start = rng.randrange(len(windows))
        yield from (windows[(start + step) % len(windows)] for step in range(BLOCK))


def _pairs(pool: Sequence[Sequence[Run]], names: Sequence[Name], rng: random.Random) -> dict[Name, Pair]:
    """What can be judged of a baseline and a later run, of different recorded runs."""
    chosen = [rng.choice(copies) for copies in rng.sample(pool, BEFORE + 1)]
    found = {}
    for load, name in names:
        sides = [[run[load] for run in side if load in run] for side in (chosen[:-1], chosen[-1:])]
        pair = pair_of(load, name, sides[0], sides[1])
        if isinstance(pair, Pair):
            found[load, name] = pair
    return found


def _false_alarms(pool: Sequence[Sequence[Run]], names: Sequence[Name], rng: random.Random) -> dict[str, object]:
    alarms = 0
    for _ in range(COMPARISONS):
        verdicts = judge(list(_pairs(pool, names, rng).values()))
        alarms += any(window.change == "regression" for window in verdicts)
    return {"share": alarms / COMPARISONS, "interval": _wilson(alarms, COMPARISONS)}


def _shift(
    pool: Sequence[Sequence[Run]], shifted: Name, names: Sequence[Name], rng: random.Random
) -> dict[str, object] | None:
    """How often a shift of one figure is missed where it can be judged at all; None where too few runs have it.

    To multiply all latencies of a run multiplies its quantiles, and leaves the errors of their logarithms as they are.
    """
    values = [window.value for run in pool if isinstance(window := run[0].get(shifted[0], {}).get(shifted[1]), Figure)]
    if len(values) <= BEFORE:
        return None
    found: list[float] = []
    for _ in range(COMPARISONS // 4):
        pairs = _pairs(pool, names, rng)
        if shifted in pairs:
            found.append(_least_shift(pairs, shifted))
    missed = sum(window > SHIFT for window in found)
    return {
        "load": shifted[0],
        "figure": shifted[1],
        "usable": len(values),
        "share": missed / len(found),
        "interval": _wilson(missed, len(found)),
        "shift": statistics.quantiles(found, n=20)[-1],
        "half": statistics.median(found),
        "counts_from": 1 + band_of(shifted[1]).counts_from(statistics.median(values)),
        "spread": statistics.stdev(map(math.log, values)),
    }


def _least_shift(pairs: dict[Name, Pair], shifted: Name) -> float:
    """The smallest factor, in steps of 1 %, by which window figure of the later run becomes a regression; at most 7."""
    index, judged = list(pairs).index(shifted), list(pairs.values())
    pair = judged[index]

    def is_found(percent: int) -> bool:
        after = [Figure(window.value * (1 + percent / 100), window.variance) for window in pair.after]
        judged[index] = Pair(pair.check, pair.figure, pair.before, after)
        return judge(judged)[index].change == "regression"

    low, high = 0, 600
    while low < high:
        middle = (low + high) // 2
        if is_found(middle):
            high = middle
        else:
            low = middle + 1
    return 1 + low / 100


def _wilson(hits: int, of: int) -> tuple[float, float]:
    """The interval of a share at 95 % confidence (Wilson 1927)."""
    z = 1.96
    share = hits / of
    centre = (share + z * z / (2 * of)) / (1 + z * z / of)
    reach = z * math.sqrt(share * (1 - share) / of + z * z / (4 * of * of)) / (1 + z * z / of)
    return max(0.0, centre - reach), centre + reach


if __name__ == "__main__":
    main()
