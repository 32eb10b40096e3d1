"""Defects of what watches over the application: metrics, monitor and alerts."""

from __future__ import annotations

from xnai_validate.demo.defects.entry import Defect

_METRICS = (
    Defect("metrics-missing", "The API's own /metrics answers 404.", checks=("api/metrics:at-root",), layout="B"),
    Defect("metrics-counter-frozen", "The counter of requests stands still.", checks=("api/metrics:requests-counted",)),
    Defect(
        "metrics-counter-twice",
        "The counter of requests moves by two for each.",
        checks=("api/metrics:requests-counted",),
    ),
    Defect(
        "metrics-queries-frozen",
        "The counters of queries and tokens stand still.",
        checks=("api/metrics:queries-counted",),
    ),
    Defect(
        "metrics-errors-frozen",
        "The counter of errors stands still.",
        checks=(
            "rag/accounting:refused",
            "api/metrics:errors-counted",
        ),
    ),
    Defect(
        "metrics-content-type", "Metrics are sent as JSON by their content type.", checks=("api/metrics:content-type",)
    ),
    Defect(
        "metrics-histogram-missing",
        "There is no latency histogram.",
        checks=(
            "api/metrics:families",
            "api/metrics:latency-histogram",
        ),
    ),
    Defect(
        "metrics-breaker-missing",
        "The states of the breakers are not among the metrics.",
        checks=("api/metrics:families",),
    ),
    Defect(
        "metrics-unbounded-label",
        "Every request makes a time series of its own.",
        checks=("api/metrics:labels-bounded",),
    ),
)

_RECORDS = (
    Defect(
        "audit-trail-missing",
        "Answers leave no entry in the audit trail.",
        checks=(
            "rag/accounting:trail",
            "dependencies/chain:audit-trail",
        ),
        layout="B",
    ),
    Defect(
        "queries-unrecorded",
        "Queries leave no entries in xnai_queries.",
        checks=("dependencies/chain:audit-trail",),
        layout="B",
    ),
    Defect(
        "degradation-unrecorded",
        "The degradation tier is not recorded.",
        checks=("dependencies/chain:degradation-recorded",),
        layout="B",
    ),
)

WATCHING: tuple[Defect, ...] = (*_METRICS, *_RECORDS)
"""All of them."""
