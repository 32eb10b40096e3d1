"""Defects of what watches over the application: metrics, circuit breakers, monitor and alerts."""

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
    Defect("metrics-errors-frozen", "The counter of errors stands still.", checks=("api/metrics:errors-counted",)),
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

_BREAKERS = (
    Defect("breaker-never-opens", "Breakers stay closed however often a service fails.", awaits="breakers"),
    Defect("breaker-opens-late", "Breakers open after three times as many failures as promised.", awaits="breakers"),
    Defect("breaker-never-recovers", "A breaker that has opened stays open for hours.", awaits="breakers"),
    Defect("breaker-closes-at-once", "A half-open breaker closes after one success.", awaits="breakers"),
    Defect("breaker-stays-half-open", "A half-open breaker never closes again.", awaits="breakers"),
    Defect("breaker-never-forgives", "A success does not reset the count of failures.", awaits="breakers"),
    Defect("breaker-open-ignored", "An open breaker lets all calls through.", awaits="breakers"),
    Defect("breaker-ignores-timeouts", "Time-outs are not counted as failures.", awaits="breakers"),
    Defect("breaker-serialises-calls", "Calls under a breaker run one after another.", awaits="breakers"),
    Defect("breaker-memory-only", "The state of a breaker is written once and then kept in memory.", awaits="breakers"),
    Defect("breaker-forgets-on-restart", "A restart of the API closes every breaker.", awaits="breakers"),
    Defect(
        "breaker-keys-missing",
        "The breakers have no keys in Redis.",
        checks=(
            "dependencies/chain:breaker-rag",
            "dependencies/chain:breakers-kept",
        ),
    ),
    Defect(
        "breaker-key-not-json",
        "The keys of the breakers hold something that is not JSON.",
        checks=(
            "dependencies/chain:breaker-rag",
            "dependencies/chain:breakers-kept",
        ),
    ),
    Defect(
        "breaker-key-without-ttl",
        "The keys of the breakers never expire.",
        checks=(
            "dependencies/chain:breaker-rag",
            "dependencies/chain:breakers-kept",
        ),
    ),
    Defect(
        "breaker-key-short-ttl",
        "The keys of the breakers expire before the recovery time is over.",
        checks=("dependencies/chain:breaker-rag",),
    ),
)

_MONITORING = (
    Defect("monitor-asleep", "The health monitor looks at nothing.", awaits="health"),
    Defect("service-health-stuck", "The health of the services is not among the metrics.", awaits="health"),
    Defect("alerts-missing", "Nobody is told when a service goes down.", awaits="alerts"),
    Defect("alerts-twice", "Every alert is sent twice.", awaits="alerts"),
    Defect("recovery-never-begins", "A service that stays down is never recovered.", awaits="recovery"),
    Defect("recovery-silent", "Nobody is told when a service is up again.", awaits="recovery"),
    Defect(
        "audit-trail-missing",
        "Answers leave no entry in the audit trail.",
        checks=("dependencies/chain:audit-trail",),
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

WATCHING: tuple[Defect, ...] = (*_METRICS, *_BREAKERS, *_MONITORING)
"""All of them."""
