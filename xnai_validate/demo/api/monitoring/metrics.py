"""What the application counts, and the endpoint that tells it to Prometheus.

The metrics server on its own port and the `/metrics` of the API show the same. Where several workers run, each keeps
its numbers in files of a folder that they share (`FOLDER` in the environment, which prometheus_client reads when it is
imported), and whoever is asked adds them up; so a counter goes on when the worker that moved it has died.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
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

from xnai_validate.demo.settings import Settings

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
FOLDER = "PROMETHEUS_MULTIPROC_DIR"
"""The environment variable that names the folder which the workers share; unset where there is but one."""
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
        here = self.registry
        self.memory = self._gauge("xnai_memory_usage_bytes", "Memory in use, in bytes", ["component"])
        self.token_rate = self._gauge("xnai_token_rate_tps", "Tokens a second of the last answer", ["model"])
        self.sessions = Gauge(
            "xnai_active_sessions",
            "Queries and streams being answered now",
            registry=here,
            multiprocess_mode="livesum",
        )
        # The label of an endpoint is its route, so there are only so many.
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
        self.errors = Counter("xnai_errors", "Errors told to callers", ["error_type", "component"], registry=here)
        self.tokens = Counter("xnai_tokens_generated", "Tokens sent to callers", ["model"], registry=here)
        self.queries = Counter("xnai_queries_processed", "Queries and streams done", ["rag_enabled"], registry=here)
        self.info = self._gauge("xnai_stack_info", "What runs here", ["version", "layout", "model"])
        self.breakers = self._gauge(
            "xnai_circuit_breaker_state", "State of a circuit breaker: 0 closed, 1 open, 2 half open", ["name"]
        )
        self.breaker_failures = Counter(
            "xnai_circuit_breaker_failures", "Calls that failed under a breaker", ["name"], registry=here
        )
        self.service_health = self._gauge("xnai_service_health", "1 healthy, 0 not", ["service"])

    def _gauge(self, name: str, says: str, labels: list[str]) -> Gauge:
        """A gauge of which the value counts that any worker has set last."""
        return Gauge(name, says, labels, registry=self.registry, multiprocess_mode="mostrecent")

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
        self.tokens.labels(self._model).inc(2 * tokens if self._settings.broken("tokens-counted-twice") else tokens)
        self.token_rate.labels(self._model).set(rate_tps)

    def failed(self, error_type: str, component: str = "api") -> None:
        """An error was told to a caller; `error_type` is its category."""
        if not self._settings.broken("metrics-errors-frozen"):
            self.errors.labels(error_type, component).inc()

    def text(self) -> bytes:
        """All metrics in the Prometheus text format, version 0.0.4."""
        self.memory.labels("process").set(_rss_bytes())
        self.memory.labels("system").set(psutil.virtual_memory().used)
        return generate_latest(_Shown(self.registry, self._hidden()))

    def _hidden(self) -> frozenset[str]:
        """The families that a defect keeps from being shown."""
        hidden = {
            "xnai_response_latency_ms": self._settings.broken("metrics-histogram-missing"),
            "xnai_circuit_breaker_state": self._settings.broken("metrics-breaker-missing"),
        }
        return frozenset(name for name, broken in hidden.items() if broken)


class _Shown:
    """The numbers of all workers together; those of this process where it is the only one."""

    def __init__(self, registry: CollectorRegistry, hidden: frozenset[str]) -> None:
        self._registry, self._hidden = registry, hidden

    def collect(self) -> Iterator[Metric]:
        """Every family with its samples."""
        folder = os.environ.get(FOLDER)
        source = MultiProcessCollector(None, folder) if folder else self._registry  # type: ignore[no-untyped-call]
        yield from (metric for metric in source.collect() if metric.name not in self._hidden)


def _rss_bytes() -> int:
    """Resident memory of the application: of all its workers where there are several."""
    workers = psutil.Process(os.getppid()).children() if os.environ.get(FOLDER) else [psutil.Process()]
    found = 0
    for worker in workers:
        with suppress(psutil.NoSuchProcess):
            found += worker.memory_info().rss
    return found


def begin() -> None:
    """Make the folder that workers share, and empty it: with the application its counters start again."""
    folder = Path(os.environ[FOLDER])
    folder.mkdir(exist_ok=True)
    for left in folder.glob("*.db"):
        left.unlink()


def bury(pid: int) -> None:
    """Forget what a worker that has ended was doing; what it counted stays."""
    mark_process_dead(pid)  # type: ignore[no-untyped-call]


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
