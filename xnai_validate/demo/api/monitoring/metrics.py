"""The application's metrics, and the endpoint that exposes them to Prometheus.

The metrics server on its own port and the `/metrics` of the API expose the same. Several workers keep their numbers in
files of a folder that they share (`FOLDER` in the environment, which prometheus_client reads when it is imported), and
the worker that answers adds them up; so a counter keeps its value when the worker that moved it has died.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

import psutil
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, disable_created_metrics, generate_latest
from prometheus_client.metrics_core import Metric
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from xnai_validate.demo.seams import seam
from xnai_validate.demo.settings import Settings

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
FOLDER = "PROMETHEUS_MULTIPROC_DIR"
"""The environment variable that names the folder which the workers share; unset if there is only one."""
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
        self.errors.labels("validation", "api")  # a family without children would not be shown
        self.tokens.labels(model)
        self.token_rate.labels(model)
        _BY_RUN_DIR[settings.run_dir] = self

    def _declare(self) -> None:
        """Declare the metrics, under the names of the real stack."""
        here = self.registry
        self.memory = self._gauge("xnai_memory_usage_bytes", "Memory in use, in bytes", ["component"])
        self.token_rate = self._gauge("xnai_token_rate_tps", "Tokens a second of the last answer", ["model"])
        self.sessions = Gauge(
            "xnai_active_sessions",
            "Queries and streams being answered now",
            registry=here,
            multiprocess_mode="livesum",
        )
        self.latency = Histogram(
            "xnai_response_latency_ms",
            "Time until an answer was complete",
            ["endpoint", "method"],
            buckets=_LATENCY_BUCKETS_MS,
            registry=here,
        )
        self.retrieval = Histogram(
            "xnai_rag_retrieval_time_ms", "Time of one retrieval", buckets=_RETRIEVAL_BUCKETS_MS, registry=here
        )
        self.requests = Counter("xnai_requests", "Requests answered, those for metrics left out", registry=here)
        self.errors = Counter("xnai_errors", "Errors sent to clients", ["error_type", "component"], registry=here)
        self.tokens = Counter("xnai_tokens_generated", "Tokens sent to clients", ["model"], registry=here)
        self.queries = Counter("xnai_queries_processed", "Queries and streams done", ["rag_enabled"], registry=here)
        self.info = self._gauge("xnai_stack_info", "What runs here", ["version", "layout", "model"])
        self.breakers = self._gauge(
            "xnai_circuit_breaker_state", "State of a circuit breaker: 0 closed, 1 open, 2 half open", ["name"]
        )
        self.breaker_failures = Counter(
            "xnai_circuit_breaker_failures", "Calls that failed under a breaker", ["name"], registry=here
        )
        self.service_health = self._gauge("xnai_service_health", "1 healthy, 0 not", ["service"])

    def _gauge(self, name: str, documentation: str, labels: list[str]) -> Gauge:
        """A gauge whose value is the one that any worker has set last."""
        return Gauge(name, documentation, labels, registry=self.registry, multiprocess_mode="mostrecent")

    def _declare_http(self) -> None:
        """Declare the metrics of HTTP requests."""
        self.http_requests = Counter(
            "http_requests", "HTTP requests", ["handler", "method", "status"], registry=self.registry
        )
        self.http_duration = Histogram(
            "http_request_duration_seconds", "Time of HTTP requests", ["handler", "method"], registry=self.registry
        )

    def answered(
        self, endpoint: str, handler: str, method: str, status: int, elapsed_s: float, request_id: str
    ) -> None:
        """Record an answered request; `endpoint` is its route, `handler` its route with the prefix."""
        known = method if method in _METHODS else "OTHER"
        self.count_request()
        self.latency.labels(latency_label(endpoint, request_id), known).observe(elapsed_s * 1000)
        if self._settings.layout == "B":
            self.http_requests.labels(handler, known, f"{status // 100}xx").inc()
            self.http_duration.labels(handler, known).observe(elapsed_s)

    @seam
    def count_request(self) -> None:
        """Count one answered request."""
        self.requests.inc()

    @seam
    def processed(self, rag_enabled: bool, tokens: int, rate_tps: float) -> None:
        """Count a query or a stream that was answered with `tokens` tokens, `rate_tps` of them a second."""
        self.queries.labels(str(rag_enabled).lower()).inc()
        self.tokens.labels(self._model).inc(tokens)
        self.token_rate.labels(self._model).set(rate_tps)

    @seam
    def failed(self, error_type: str, component: str = "api") -> None:
        """Count an error that was sent to a client; `error_type` is its category."""
        self.errors.labels(error_type, component).inc()

    def text(self) -> bytes:
        """All metrics in the Prometheus text format, version 0.0.4."""
        self.memory.labels("process").set(_rss_bytes())
        self.memory.labels("system").set(psutil.virtual_memory().used)
        return generate_latest(_AllWorkers(self.registry))


@seam
def latency_label(endpoint: str, request_id: str) -> str:
    """The label under which the latency of a request is recorded: its route, so the number of labels is bounded."""
    return endpoint


class _AllWorkers:
    """The numbers of all workers together; those of this process if it is the only one."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._registry = registry

    def collect(self) -> Iterator[Metric]:
        """Every family with its samples."""
        folder = os.environ.get(FOLDER)
        source = MultiProcessCollector(None, folder) if folder else self._registry  # type: ignore[no-untyped-call]
        return shown(source.collect())


@seam
def shown(families: Iterable[Metric]) -> Iterator[Metric]:
    """The families that are exposed: all of them."""
    return iter(families)


def _rss_bytes() -> int:
    """Resident memory of the application: of all its workers if there are several."""
    workers = psutil.Process(os.getppid()).children() if os.environ.get(FOLDER) else [psutil.Process()]
    total = 0
    for worker in workers:
        with suppress(psutil.NoSuchProcess):
            total += worker.memory_info().rss
    return total


def begin() -> None:
    """Make the folder that workers share, or empty it: the counters start with the application."""
    folder = Path(os.environ[FOLDER])
    folder.mkdir(exist_ok=True)
    for left in folder.glob("*.db"):
        left.unlink()


def forget_worker(pid: int) -> None:
    """Reset the gauges of a worker that has ended; its counters stay."""
    mark_process_dead(pid)  # type: ignore[no-untyped-call]


def forget(metrics: Metrics, settings: Settings) -> None:
    """Stop serving the metrics of an application that has ended."""
    if _BY_RUN_DIR.get(settings.run_dir) is metrics:
        del _BY_RUN_DIR[settings.run_dir]


def response(settings: Settings) -> Response:
    """The answer of a metrics endpoint; 503 while the application has not started."""
    metrics = _BY_RUN_DIR.get(settings.run_dir)
    if metrics is None:
        return PlainTextResponse("the application has not started\n", status_code=503)
    return to_response(metrics.text())


@seam
def to_response(text: bytes) -> Response:
    """The response that carries the metrics."""
    return Response(text, headers={"content-type": CONTENT_TYPE})


def create(settings: Settings) -> ASGIApp:
    """The metrics server: `/metrics` of the application that runs in this process."""

    async def metrics(_: Request) -> Response:
        return response(settings)

    return Starlette(routes=[Route("/metrics", metrics), Route("/", metrics)])
