"""Defects that show when many ask at once, or for long."""

from __future__ import annotations

from xnai_validate.demo.defects.entry import Defect

PERFORMANCE: tuple[Defect, ...] = (
    Defect(
        "query-slow",
        "Every query takes five seconds before the model is asked.",
        checks=("performance/latency:query",),
    ),
    Defect(
        "query-blocks-everyone",
        "A query stops its whole worker for half a second, other callers included.",
        checks=("performance/latency:query",),
    ),
    Defect(
        "query-one-at-a-time",
        "Queries wait for one lock, whichever worker has them.",
        checks=("performance/load:side-by-side", "dependencies/cascade:slow-caller"),
    ),
    Defect(
        "health-waits-for-queries",
        "Health is answered when no query is under way.",
        checks=(
            "performance/latency:health-beside-queries",
            "dependencies/cascade:model",
            "health/truth:answers-while-busy",
        ),
    ),
    Defect(
        "load-lock-convoy",
        "Every request holds a lock for a quarter of a second, and many form a queue.",
        checks=(
            "performance/load:steps",
            "performance/load:throughput",
        ),
    ),
    Defect(
        "load-stalls",
        "A worker that is asked often stands still for seconds, again and again.",
        checks=(
            "performance/latency:api",
            "performance/latency:health",
        ),
    ),
    Defect(
        "load-collapses",
        "From eight requests at once on, each costs 200 ms of processor.",
        checks=("performance/load:hundred-callers",),
    ),
    Defect(
        "load-leaks-memory",
        "Requests at the same time keep megabytes for ever.",
        checks=("performance/load:memory",),
    ),
    Defect("load-wears-out", "Every query makes those after it slower.", checks=("performance/latency:steady",)),
    Defect(
        "load-turns-away",
        "Callers beyond ten in a worker are turned away.",
        checks=("performance/load:hundred-callers",),
    ),
    Defect(
        "metrics-lose-under-load",
        "Of requests at the same time only one is counted.",
        checks=("performance/load:counted",),
    ),
    Defect(
        "stream-one-at-a-time",
        "A stream begins only when the one before has ended.",
        checks=("performance/load:streams",),
    ),
    Defect(
        "streams-cut-under-load",
        "With more than six streams in a worker, some break off.",
        checks=("performance/load:streams",),
    ),
    Defect(
        "stream-halts-beside-others",
        "With three others in its worker, a stream halts for a second after every ten events.",
        checks=("performance/load:tokens",),
    ),
)
"""All of them."""
