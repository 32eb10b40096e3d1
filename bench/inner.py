"""Loops inside a process, run as one of its own: parser of event streams, histogram. Prints lines of `name value`."""

from __future__ import annotations

import json
import random
import statistics
import sys
import time

from xnai_validate.model.histogram import Histogram
from xnai_validate.wire.sse.parser import SseParser

EVENTS = 20_000
CHUNK = 4096
ROUNDS = 7
DURATIONS = 100_000


def sse_us_per_event() -> float:
    """Microseconds of processor time that a token event takes, in chunks of 4 KiB; the median of some rounds."""
    frames = (f"data: {json.dumps({'type': 'token', 'content': f'word{number} '})}\n\n" for number in range(EVENTS))
    stream = "".join(frames).encode()
    chunks = [stream[start : start + CHUNK] for start in range(0, len(stream), CHUNK)]
    times = []
    for _ in range(ROUNDS):
        parser = SseParser()
        begun = time.thread_time()
        seen = sum(len(parser.feed(chunk)) for chunk in chunks)
        times.append((time.thread_time() - begun) / EVENTS * 1e6)
        if seen != EVENTS:
            raise SystemExit(f"{seen} of {EVENTS} events were parsed")
    return statistics.median(times)


def histogram_ns_per_record() -> float:
    """Nanoseconds of processor time to record a latency of some 3 ms, the loop included; the median of some rounds."""
    spread = random.Random(1)
    durations_us = [int(spread.lognormvariate(8, 1)) for _ in range(DURATIONS)]
    times = []
    for _ in range(ROUNDS):
        histogram = Histogram()
        record = histogram.record
        begun = time.thread_time()
        for us in durations_us:
            record(us)
        times.append((time.thread_time() - begun) / DURATIONS * 1e9)
        if histogram.count != DURATIONS:
            raise SystemExit(f"{histogram.count} of {DURATIONS} durations were counted")
    return statistics.median(times)


if __name__ == "__main__":
    sys.stdout.write(f"sse_us_per_event {sse_us_per_event():.3f}\n")
    sys.stdout.write(f"histogram_ns_per_record {histogram_ns_per_record():.1f}\n")
