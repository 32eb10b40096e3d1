"""`load.search` on servers of a known capacity (`bench/limited_server.py`): how near the result is, twenty times.

Every search is a run of the whole tool against a server of its own, whose capacity is drawn by a seed. A result that
is off by more than 5 % is wrong; a search that this machine was too busy to judge has no result, and is counted apart.
"""

from __future__ import annotations

import json
import math
import random
import subprocess
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from bench.static import served
from bench.table import Row
from bench.tools import Installed

SEARCHES = 20
AT_ONCE = 3
LIMIT_S = 200
OFF_PERCENT = 5.0
WAIT_MS = 50.0
"""What a request may wait for a worker: a queue that grows by it within a probe is some 3 % above the capacity."""
PROBE_S = {"bucket": 1, "worker": 2}


@dataclass(frozen=True, slots=True)
class Found:
    """One search."""

    limit: str
    capacity: float
    result: float | None
    """Requests a second; None where it was not judged."""
    reason: str
    probes: int

    @property
    def off_percent(self) -> float:
        """How far the result is from the capacity."""
        return math.nan if self.result is None else abs(self.result / self.capacity - 1) * 100


def capacity(home: Path, mine: Installed) -> list[Row]:
    """All rows of the group."""
    draw = random.Random(16)
    limits = [("bucket", "worker")[number % 2] for number in range(SEARCHES)]
    rates = [round(math.exp(draw.uniform(math.log(30), math.log(200))), 1) for _ in limits]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        found = list(
            pool.map(lambda work: _search(home, mine, *work), zip(range(SEARCHES), limits, rates, strict=True))
        )
    offs = [search.off_percent for search in found if search.result is not None]
    right = sum(off <= OFF_PERCENT for off in offs)
    unjudged = [search for search in found if search.result is None]
    shown = "; ".join(f"{each.limit} {each.capacity:g}: {each.result or 0:.1f}" for each in found)
    probes = f"{sum(each.probes for each in found) / SEARCHES:.0f} probes a search"
    reasons = "; ".join(sorted({each.reason for each in unjudged}))[:200]
    what = "load.search, known capacity"
    return [
        Row(f"{what} within {OFF_PERCENT:g} %, of {SEARCHES}", right, "", SEARCHES, shown, at_least=True),
        Row(f"{what}, wrong results", len(offs) - right, "", 0, probes),
        Row(f"{what}, without a result", len(unjudged), "", None, reasons),
        Row(f"{what}, largest difference", max(offs, default=math.nan), "%", OFF_PERCENT, "of those with a result"),
    ]


def _search(home: Path, mine: Installed, number: int, limit: str, rate: float) -> Found:
    """Search the capacity of one server."""
    with served("bench.limited_server", limit, str(rate)) as process:
        assert process.stdout is not None
        port = int(process.stdout.readline())
        folder = home / f"capacity{number}"
        rule = {"error_ratio": 0} if limit == "bucket" else {"p90_ms": {"max": 1000 / rate + WAIT_MS}}
        with_ = {"path": "/", "arrivals": {"rate": "{{rate}}"}, "for": f"{PROBE_S[limit]}s", "timeout": "2s"}
        load = {"kind": "load.http", "with": {**with_, "stop_at": {"waited": "500ms"}}, "expect": rule}
        search = {"from": 20, "to": 500, "step": "2 %", "attempts": 3, "settle": "100ms", "load": load}
        check: dict[str, object] = {
            "id": "it",
            "title": "Capacity",
            "kind": "load.search",
            "target": "api",
            "timeout": f"{LIMIT_S - 20}s",
        }
        check |= {"with": search, "expect": {"highest_rate": {"min": 1}}}
        suite = folder / "checks/bench/capacity.yaml"
        suite.parent.mkdir(parents=True)
        suite.write_text(json.dumps({"title": "Capacity", "checks": [check]}), encoding="utf-8")  # JSON is YAML
        head: dict[str, object] = {"title": "Capacity", "targets": {"api": {"url": f"http://127.0.0.1:{port}"}}}
        head |= {"suites": ["bench/capacity"], "limits": {"deadline": "5m"}}
        profile = folder / "capacity.yaml"
        profile.write_text(json.dumps(head), encoding="utf-8")
        argv = [mine.ours, "run", str(profile), "--path", str(folder), "--quiet", "--format", "json"]
        done = subprocess.run(argv, cwd=folder, check=False, capture_output=True, text=True, timeout=LIMIT_S + 60)
    try:
        [measured] = json.loads(done.stdout)["checks"]
    except ValueError:
        return Found(limit, rate, None, done.stderr.strip()[-160:], 0)
    facts = measured["facts"]
    return Found(limit, rate, facts.get("highest_rate"), measured["reason"] or "", facts.get("probe_count", 0))
