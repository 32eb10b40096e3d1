"""Defects that show when many ask at once, or for long."""

from __future__ import annotations

from xnai_validate.demo.defects.entry import Defect

PERFORMANCE: tuple[Defect, ...] = (
    Defect("query-slow", "Every query takes a second and a half before the model is asked.", awaits="performance"),
    Defect(
        "query-blocks-everyone",
        "A query stops its whole worker for 300 ms, other callers included.",
        awaits="performance",
    ),
    Defect("query-one-at-a-time", "Queries wait for one lock, whichever worker has them.", awaits="performance"),
    Defect("health-waits-for-queries", "Health is answered when no query is under way.", awaits="performance"),
    Defect("load-lock-convoy", "Every request holds a lock for 60 ms, and many form a queue.", awaits="performance"),
    Defect("load-stalls", "A worker stands still for seconds, again and again.", awaits="performance"),
    Defect("load-collapses", "From eight requests at once on, each costs 80 ms of processor.", awaits="performance"),
    Defect("load-leaks-memory", "Requests at the same time keep half a megabyte each for ever.", awaits="performance"),
    Defect("load-wears-out", "Every query makes those after it slower.", awaits="performance"),
    Defect("load-turns-away", "Callers beyond ten in a worker are turned away.", awaits="performance"),
    Defect("metrics-lose-under-load", "Of requests at the same time only one is counted.", awaits="performance"),
    Defect("stream-one-at-a-time", "A stream begins only when the one before has ended.", awaits="performance"),
    Defect("streams-cut-under-load", "With more than six streams in a worker, some break off.", awaits="performance"),
)
"""All of them."""
