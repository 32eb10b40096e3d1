"""A run with everything that the page draws: a load, a breaker, the truth of health, an exchange, a baseline."""

from __future__ import annotations

import json

from tests.report.runs import START, Script, finding
from xnai_validate.model.histogram import Histogram
from xnai_validate.model.json import JsonObject, JsonValue
from xnai_validate.model.results import events as ev
from xnai_validate.model.results.comparison import Compared, Comparison
from xnai_validate.model.results.exchange import Exchange
from xnai_validate.model.results.status import Status

BREAKER: JsonObject = {
    "timeline": [
        {"change": "closed->open", "after_ms": 300.0, "before_ms": 310.0},
        {"change": "open->half_open", "after_ms": 700.0, "before_ms": 800.0},
    ],
    "calls": [
        {"outcome": "failed", "count": 3, "from_ms": 100.0, "to_ms": 305.0},
        {"outcome": "refused", "count": 12, "from_ms": 320.0, "to_ms": 690.0},
        {"outcome": "succeeded", "count": 1, "from_ms": 790.0, "to_ms": 800.0},
    ],
}


def cell(situation: str, component: str, **values: bool | float | None) -> JsonObject:
    """A cell of a truth table; without other values the component is well and reported so."""
    row: JsonObject = {"claimed": True, "true": True, "detected_ms": None, "claimed_after": True, "true_after": True}
    return {"situation": situation, "component": component, "recovered_ms": None, **row, **values}


CELLS: list[JsonObject] = [
    cell("as it is", "llm"),
    cell("as it is", "redis"),
    cell("without the model", "llm", claimed=False, true=False, detected_ms=1200.0, recovered_ms=340.0),
    cell("without the model", "redis", claimed=False),
    cell("without Redis", "llm", claimed=None),
    cell("without Redis", "redis", true=False),
]
STALLED = Exchange(
    protocol="http",
    request="GET http://127.0.0.1:8000/health",
    response="200 OK",
    elapsed_ms=2_003.0,
    stages={"lookup": 1.5, "connect": 0.5, "send": 1.0, "wait": 200.0, "body": 1_800.0},
    failure="no whole answer within 2 s: the body of the response did not end",
)
FIGURES = (
    Compared(check="performance/load:query", figure="p50_ms", before=40.0, after=60.0, ratio=1.5, low=1.4, high=1.6,
             band=0.1, change="regression"),
    Compared(check="performance/load:query", figure="p99_ms", before=90.0, after=90.0, ratio=1.0, low=0.9, high=1.05,
             band=0.1, change="same"),
    Compared(check="performance/load:old", figure="p50_ms", band=0.1, change="cannot tell", reason="it has not run"),
)  # fmt: skip


def load() -> JsonObject:
    """The facts of a load of streams with two windows."""
    windows = Histogram(), Histogram()
    for number, window in enumerate(windows):
        window.record_many(int(1000 * (10 + number + answer / 10)) for answer in range(100))
    written: list[JsonValue] = [json.loads(json.dumps(window.to_json())) for window in windows]
    latencies: JsonObject = {"window_ms": 500.0, "windows": written, "errors": [0, 2]}
    return {
        "sent_count": 202,
        "throughput_rps": 200.0,
        "error_ratio": 2 / 202,
        "tokens": 1_000,
        "first_token_p50_ms": 12.0,
        "stream_gap_max_ms": 204.0,
        "latency_windows": latencies,
    }


def pictured() -> list[ev.Event]:
    """A run in which each figure of the page appears."""
    script = Script("Pictured", "pictured")
    script.check("performance/load:query", "Streams begin soon", kind="load.sse", facts=load())
    script.fault("process.pause", "llm", proven=True, check="breakers/cycle:opens")
    script.check("breakers/cycle:opens", "The breaker opens", kind="breaker.cycle", facts=BREAKER, ms=900.0)
    script.fault("redis.pause", "redis", proven=True, check="recovery/outage:redis")
    script.check("recovery/outage:redis", "Back again", kind="experiment.run", facts={"recovered_ms": 50.0})
    script.check("health/truth:green", "Health is true", kind="health.truth", facts={"cells": [*CELLS]})
    script.check(
        "api/health:up",
        "The API is healthy",
        Status.FAIL,
        reason="error: timeout",
        findings=(finding("error", "equals", None, "timeout"),),
        facts={"error": "timeout", "status": None, "total_ms": 2003.123456},
        exchanges=(STALLED,),
    )
    *events, end = script.events()
    comparison = Comparison(baseline="main", runs=3, figures=FIGURES)
    compared = ev.BaselineCompared(seq=end.seq, at=START + 4.3, comparison=comparison)
    return [*events, compared, ev.RunFinished(seq=end.seq + 1, at=START + 4.321, elapsed_ms=4_321.0)]
