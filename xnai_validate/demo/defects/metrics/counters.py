"""Counters that stand still or move too far."""

from __future__ import annotations

from collections.abc import Callable

from starlette.types import Scope

from xnai_validate.demo.api.http.middleware import RequestContext
from xnai_validate.demo.api.monitoring.metrics import Metrics
from xnai_validate.demo.defects.defect import Defect

COUNTER_FROZEN = Defect(
    "metrics-counter-frozen", "The counter of requests stands still.", checks=("api/metrics:requests-counted",)
)


@COUNTER_FROZEN.wraps(Metrics.count_request)
def count_no_request(_: Callable[[Metrics], None], /, self: Metrics) -> None:
    """Leave the counter of requests as it is."""


COUNTER_TWICE = Defect(
    "metrics-counter-twice",
    "The counter of requests moves by two for each.",
    checks=("api/metrics:requests-counted",),
)


@COUNTER_TWICE.wraps(Metrics.count_request)
def count_twice(count: Callable[[Metrics], None], /, self: Metrics) -> None:
    """Count a request twice."""
    count(self)
    count(self)


QUERIES_FROZEN = Defect(
    "metrics-queries-frozen",
    "The counters of queries and tokens stand still.",
    checks=("api/metrics:queries-counted",),
)


@QUERIES_FROZEN.wraps(Metrics.processed)
def count_no_query(
    _: Callable[[Metrics, bool, int, float], None],
    /,
    self: Metrics,
    rag_enabled: bool,
    tokens: int,
    rate_tps: float,
) -> None:
    """Leave the counters of queries and tokens as they are."""


ERRORS_FROZEN = Defect(
    "metrics-errors-frozen",
    "The counter of errors stands still.",
    checks=("rag/accounting:refused", "api/metrics:errors-counted"),
)


@ERRORS_FROZEN.wraps(Metrics.failed)
def count_no_error(
    _: Callable[[Metrics, str, str], None], /, self: Metrics, error_type: str, component: str = "api"
) -> None:
    """Leave the counter of errors as it is."""


IN_SECONDS = Defect(
    "metrics-latency-in-seconds",
    "The histogram of latencies, in milliseconds by its name, is fed with seconds.",
    checks=("api/metrics:latency-histogram",),
)


@IN_SECONDS.wraps(RequestContext.count)
def count_seconds(
    count: Callable[[RequestContext, Scope, int, float, str], None],
    /,
    self: RequestContext,
    scope: Scope,
    status: int,
    elapsed_s: float,
    request_id: str,
) -> None:
    """Record a thousandth of the latency: its seconds where milliseconds are expected."""
    count(self, scope, status, elapsed_s / 1000, request_id)


LOSE_UNDER_LOAD = Defect(
    "metrics-lose-under-load",
    "Of requests at the same time only one is counted.",
    checks=("performance/load:counted",),
)


@LOSE_UNDER_LOAD.wraps(RequestContext.count)
def count_if_alone(
    count: Callable[[RequestContext, Scope, int, float, str], None],
    /,
    self: RequestContext,
    scope: Scope,
    status: int,
    elapsed_s: float,
    request_id: str,
) -> None:
    """Count a request only if no other request is under way."""
    if self.open_requests <= 1:
        count(self, scope, status, elapsed_s, request_id)
