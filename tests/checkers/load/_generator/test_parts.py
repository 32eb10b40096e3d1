"""The sum of what several processes counted is what one process would have counted."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest

from xnai_validate.checkers.load._generator.drive import Drive
from xnai_validate.checkers.load._generator.parts import add_part, part_of
from xnai_validate.checkers.load._streams.tally import StreamTally
from xnai_validate.checkers.load.sse import SseLoad
from xnai_validate.kit import ErrorKind, Histogram, Target
from xnai_validate.workers.worker_context import WorkerContext

PARAMS = SseLoad.model_validate({"callers": 4, "warmup": 0.5, "for": 2.0, "slices": 0.5})


def drive_of() -> Drive:
    """A drive whose times are set, which counts streams."""
    drive = Drive(PARAMS, WorkerContext(Target("api")))
    drive.make_tally = StreamTally
    drive.set_times(1024.0)
    return drive


def count(drives: list[Drive], seed: int, number: int) -> None:
    """Count the same requests, relative to its beginning, in each of the drives."""
    draw = random.Random(seed)
    for _ in range(number):
        due, sent, took = draw.uniform(0, 2), draw.uniform(0, 0.1), draw.expovariate(5)
        how = draw.random()
        for drive in drives:
            load = drive.load
            assert isinstance(load, StreamTally)
            at = load.begun + due
            load.sent += 1
            load.first_event(at, at + sent, at + sent + took)
            if how < 0.8:
                load.answered(200, at, at + sent, at + sent + took)
                load.good[200] += 1
                load.gaps.record(int(took * 1e5))
            else:
                load.failed(ErrorKind.TIMEOUT, "too long", at + took)
            load.late(sent)
            load.faults["no space"] += how < 0.1
            load.tokens += 3


def test_parts_add_up_without_loss() -> None:
    """Counters, windows, kinds of errors and histograms of four processes are those of all requests."""
    whole, summed = drive_of(), drive_of()
    for index in range(4):
        alone = drive_of()
        count([alone, whole], index, 50 + index)
        add_part(summed, json.loads(json.dumps(part_of(alone))))
    got, expected = part_of(summed), part_of(whole)
    assert summed.load.sent == 206
    assert got == expected


def test_a_merged_histogram_is_that_of_all_samples() -> None:
    """Merging through JSON loses nothing: the same buckets, minimum, maximum and sum."""
    draw = random.Random(5)
    samples = [int(draw.expovariate(1e-4)) for _ in range(4000)]
    whole, merged = Histogram(), Histogram()
    whole.record_many(samples)
    for index in range(4):
        part = Histogram()
        part.record_many(samples[index::4])
        merged.merge(Histogram.from_json(json.loads(json.dumps(part.to_json()))))
    assert merged.to_json() == whole.to_json()


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda part: part.pop("load"), "not the figures"),
        (lambda part: part["load"].update(sent=-1), "no count"),
        (lambda part: part["load"].update(sent="many"), "no count"),
        (lambda part: part["load"].update(windows=[]), "windows"),
        (lambda part: part["load"].update(lag={"format": "other"}), "not a histogram"),
        (lambda part: part["load"].update(statuses=[["200"]]), "not a pair"),
        (lambda part: part.update(recorder=[]), "instead of a mapping"),
        (lambda part: part.update(cpu_ratio=float("nan")), "no number"),
        (lambda part: part.update(ends_s=float("inf")), "no number"),
    ],
)
def test_other_data_is_refused(change: Any, why: str) -> None:
    """What a worker sends is data: anything but the figures of a load is a ValueError."""
    part: Any = json.loads(json.dumps(part_of(drive_of())))
    change(part)
    with pytest.raises(ValueError, match=why):
        add_part(drive_of(), part)
