"""Event streams at once, by the thousand: the memory that they take in our process, and the time of an event.

Measured as the difference between a run of `load.sse` with few streams and one with many, so that start-up counts in
neither. Each run is the whole tool, with its report; it reports that all streams were open at once and ended well.
"""

from __future__ import annotations

import json
import os
import resource
import statistics
import subprocess
from dataclasses import dataclass
from pathlib import Path

from bench.static import served
from bench.table import Row
from bench.tools import Installed

MANY = 5_000
FEW = 5
TOKENS = 20
INTERVAL_S = 0.8
"""How far the tokens of a stream are apart: 5 000 streams bring 6 250 events a second, each in a read of its own."""
LIMIT_S = 120.0
SPARE = 200
"""Open files besides those of the streams."""


@dataclass(frozen=True, slots=True)
class Ran:
    """One run of the tool."""

    peak_mib: float
    cpu_s: float
    events: int
    failure: str | None


def streams(home: Path, tool: Installed, rounds: int) -> list[Row]:
    """Rows for memory and time; fewer streams, with a note, if the system allows fewer open files."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    many = MANY if hard == resource.RLIM_INFINITY else min(MANY, hard - SPARE)
    growths, costs, failure = [], [], None
    with served("bench.streamserver", str(TOKENS), str(INTERVAL_S)) as process:
        assert process.stdout is not None
        port = int(process.stdout.readline())
        for count in (FEW, many):
            _profile(home, port, count)
        for _ in range(max(1, rounds // 3)):
            few, most = _run(home, tool, FEW), _run(home, tool, many)
            failure = few.failure or most.failure
            if failure is not None:
                break
            growths.append(most.peak_mib - few.peak_mib)
            costs.append((most.cpu_s - few.cpu_s) / (most.events - few.events) * 1e6)
    broken = failure is not None
    growth = float("nan") if broken else statistics.median(growths)
    cost = float("nan") if broken else statistics.median(costs)
    each = (
        failure or f"{growth * 1024 / many:.1f} KiB a stream; both sides raise their limit of open files, up to {hard}"
    )
    opened = failure or f"processor time of ours, opening {many} connections included"
    return [
        Row(f"{many} streams at once, growth of our process", growth, "MiB", 40.0, each, broken),
        Row(f"{many} streams at once, an event", cost, "us", 30.0, opened, broken),
    ]


def _profile(home: Path, port: int, count: int) -> None:
    suite = home / f"checks/bench/streams{count}.yaml"
    suite.parent.mkdir(parents=True, exist_ok=True)
    suite.write_text(
        "title: Streams\nchecks:\n  - id: held\n    title: Streams are held\n    kind: load.sse\n    target: api\n"
        f"    timeout: 100s\n    with: {{callers: {count}, for: 5s, json: {{query: bench}}}}\n"
        "    expect: {error_ratio: 0}\n",
        encoding="utf-8",
    )
    (home / f"streams{count}.yaml").write_text(
        f"title: {count} streams\ntargets:\n  api: {{url: http://127.0.0.1:{port}}}\n"
        f"suites: [bench/streams{count}]\nlimits: {{deadline: 5m}}\nallow: [disruptive]\n",
        encoding="utf-8",
    )


def _run(home: Path, tool: Installed, count: int) -> Ran:
    argv = [tool.ours, "run", str(home / f"streams{count}.yaml"), "--path", str(home), "--quiet", "--format", "json"]
    with subprocess.Popen(argv, cwd=home, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        assert process.stdout is not None
        output = process.stdout.read()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    try:
        check = json.loads(output)["checks"][0]
    except (ValueError, LookupError):
        return Ran(0.0, 0.0, 0, f"exit {process.returncode} without a report")
    facts = check["facts"]
    ended = facts.get("completed_count"), facts.get("peak_streams")
    # The exit code is not asked: on a busy machine a rule may fail that is about time.
    failure = None if ended == (count, count) else f"{ended} of {count} streams ended well, at once: {check['reason']}"
    return Ran(usage.ru_maxrss / 1024, usage.ru_utime + usage.ru_stime, facts.get("events", 0), failure)
