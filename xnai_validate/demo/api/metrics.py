"""What the application counts, and the endpoint that tells it to Prometheus.

The metrics server on its own port and the `/metrics` of the API show one registry: that of the application which was
created in this process for the same run directory.
"""

from __future__ import annotations

from pathlib import Path

import psutil
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, disable_created_metrics, generate_latest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from xnai_validate.demo.settings import Settings

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
BREAKER_STATES = {"closed": 0, "open": 1, "half_open": 2}

_LATENCY_BUCKETS_MS = (5, 10, 25, 50, 100, 200, 300, 500, 1000, 2500, 5000, 10000)
_RETRIEVAL_BUCKETS_MS = (0.5, 1, 2.5, 5, 10, 25, 50, 100)
_METHODS = frozenset({"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"})
_BY_RUN_DIR: dict[Path, Metrics] = {}


class Metrics:
    """The application's metrics, in a registry of its own, under the names of the stack."""

    def __init__(self, settings: Settings, model: str, version: str) -> None:
        self._settings = settings
        self._model = model
        self.registry = CollectorRegistry()
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self._declare()
        if settings.layout == "B":
            self._declare_http()
        self.info.labels(version, settings.layout, model).set(1)
        for enabled in ("true", "false"):
            self.queries.labels(enabled)
        self.tokens.labels(model)
        self.token_rate.labels(model)
        _BY_RUN_DIR[settings.run_dir] = self

    def _declare(self) -> None:
        here = self.registry
        self.memory = Gauge("xnai_memory_usage_bytes", "Memory in use, in bytes", ["component"], registry=here)
        self.token_rate = Gauge("xnai_token_rate_tps", "Tokens a second of the last answer", ["model"], registry=here)
        self.sessions = Gauge("xnai_active_sessions", "Queries and streams being answered now", registry=here)
        self.latency = self._histogram()
        self.retrieval = Histogram(
            "xnai_rag_retrieval_time_ms", "Time of one retrieval", buckets=_RETRIEVAL_BUCKETS_MS, registry=here
        )
        self.requests = Counter("xnai_requests", "Requests answered, those for metrics left out", registry=here)
        self.errors = Counter("xnai_errors", "Errors told to callers", ["error_type", "component"], registry=here)
        self.tokens = Counter("xnai_tokens_generated", "Tokens sent to callers", ["model"], registry=here)
        self.queries = Counter("xnai_queries_processed", "Queries and streams done", ["rag_enabled"], registry=here)
        self.info = Gauge("xnai_stack_info", "What runs here", ["version", "layout", "model"], registry=here)
        unseen = CollectorRegistry()
        self.breakers = Gauge(
            "xnai_circuit_breaker_state",
            "State of a circuit breaker: 0 closed, 1 open, 2 half open",
            ["name"],
            registry=unseen if self._settings.broken("metrics-breaker-missing") else here,
        )
        self.breaker_failures = Counter(
            "xnai_circuit_breaker_failures", "Calls that failed under a breaker", ["name"], registry=here
        )
        self.service_health = Gauge("xnai_service_health", "1 healthy, 0 not", ["service"], registry=here)

    def _histogram(self) -> Histogram:
        """The latencies; the label of an endpoint is its route, so there are only so many."""
        unseen = self._settings.broken("metrics-histogram-missing")
        return Histogram(
            "xnai_response_latency_ms",
            "Time until an answer was complete",
            ["endpoint", "method"],
            buckets=_LATENCY_BUCKETS_MS,
            registry=CollectorRegistry() if unseen else self.registry,
        )

    def _declare_http(self) -> None:
        self.http_requests = Counter(
            "http_requests", "HTTP requests", ["handler", "method", "status"], registry=self.registry
        )
        self.http_duration = Histogram(
            "http_request_duration_seconds", "Time of HTTP requests", ["handler", "method"], registry=self.registry
        )

    def answered(
        self, endpoint: str, handler: str, method: str, status: int, elapsed_s: float, request_id: str
    ) -> None:
        """A request has been answered completely; `endpoint` is its route, `handler` its route with the prefix."""
        known = method if method in _METHODS else "OTHER"
        if not self._settings.broken("metrics-counter-frozen"):
            self.requests.inc(2 if self._settings.broken("metrics-counter-twice") else 1)
        label = f"{endpoint}#{request_id}" if self._settings.broken("metrics-unbounded-label") else endpoint
        self.latency.labels(label, known).observe(elapsed_s * 1000)
        if self._settings.layout == "B":
            self.http_requests.labels(handler, known, f"{status // 100}xx").inc()
            self.http_duration.labels(handler, known).observe(elapsed_s)

    def processed(self, rag_enabled: bool, tokens: int, rate_tps: float) -> None:
        """A query or a stream has been answered with so many tokens."""
        if self._settings.broken("metrics-queries-frozen"):
            return
        self.queries.labels(str(rag_enabled).lower()).inc()
        self.tokens.labels(self._model).inc(tokens)
        self.token_rate.labels(self._model).set(rate_tps)

    def failed(self, error_type: str, component: str = "api") -> None:
        """An error was told to a caller; `error_type` is its category."""
        if not self._settings.broken("metrics-errors-frozen"):
            self.errors.labels(error_type, component).inc()

    def text(self) -> bytes:
        """All metrics in the Prometheus text format, version 0.0.4."""
        self.memory.labels("process").set(psutil.Process().memory_info().rss)
        self.memory.labels("system").set(psutil.virtual_memory().used)
        return generate_latest(self.registry)


def forget(metrics: Metrics, settings: Settings) -> None:
    """Stop serving the metrics of an application that has ended."""
    if _BY_RUN_DIR.get(settings.run_dir) is metrics:
        del _BY_RUN_DIR[settings.run_dir]


def response(settings: Settings) -> Response:
    """The answer of a metrics endpoint; 503 while the application is not there yet."""
    metrics = _BY_RUN_DIR.get(settings.run_dir)
    if metrics is None:
        return PlainTextResponse("the application has not started\n", status_code=503)
    if settings.broken("metrics-content-type"):
        return Response(metrics.text(), media_type="application/json")
    return Response(metrics.text(), headers={"content-type": CONTENT_TYPE})


def create(settings: Settings) -> ASGIApp:
    """The metrics server: `/metrics` of the application that runs in this process."""

    async def metrics(_: Request) -> Response:
        return response(settings)

    return Starlette(routes=[Route("/metrics", metrics), Route("/", metrics)])
