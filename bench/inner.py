"""Loops inside a process, run as one of its own: the parser of event streams. Prints lines of `name value`."""

from __future__ import annotations

import json
import statistics
import sys
import time

from xnai_validate.wire.sse import SseParser

EVENTS = 20_000
CHUNK = 4096
ROUNDS = 7


def sse_us_per_event() -> float:
    """Microseconds the parser takes for a token event, in chunks of 4 KiB; the median of some rounds."""
    frames = (f"data: {json.dumps({'type': 'token', 'content': f'word{number} '})}\n\n" for number in range(EVENTS))
    stream = "".join(frames).encode()
    chunks = [stream[start : start + CHUNK] for start in range(0, len(stream), CHUNK)]
    times = []
    for _ in range(ROUNDS):
        parser = SseParser()
        begun = time.perf_counter()
        seen = sum(len(parser.feed(chunk)) for chunk in chunks)
        times.append((time.perf_counter() - begun) / EVENTS * 1e6)
        if seen != EVENTS:
            raise SystemExit(f"{seen} of {EVENTS} events were parsed")
    return statistics.median(times)


if __name__ == "__main__":
    sys.stdout.write(f"sse_us_per_event {sse_us_per_event():.3f}\n")
