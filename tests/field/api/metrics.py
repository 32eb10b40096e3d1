"""The metric families of the API."""

from __future__ import annotations

import psutil
from aiohttp import web
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from tests.field.settings import VERSION

_BUCKETS = (1, 5, 10, 25, 50, 100, 250, 500, 1000, 2500)


class Metrics:
    """All families, in a registry of their own."""

    def __init__(self, layout: str) -> None:
        self.registry = registry = CollectorRegistry()
        self.layout = layout
        self.memory = Gauge("xnai_memory_usage_bytes", "Resident memory", ["component"], registry=registry)
        self.rate = Gauge("xnai_token_rate_tps", "Tokens a second of the last answer", ["model"], registry=registry)
        self.sessions = Gauge("xnai_active_sessions", "Open streams", registry=registry)
        self.latency = Histogram(
            "xnai_response_latency_ms", "Latency", ["endpoint", "method"], buckets=_BUCKETS, registry=registry
        )
        self.retrieval = Histogram("xnai_rag_retrieval_time_ms", "Retrieval", buckets=_BUCKETS, registry=registry)
        self.requests = Counter("xnai_requests_total", "Requests", ["endpoint", "method", "status"], registry=registry)
        self.errors = Counter("xnai_errors_total", "Errors", ["error_type", "component"], registry=registry)
        self.tokens = Counter("xnai_tokens_generated_total", "Tokens", ["model"], registry=registry)
        self.queries = Counter("xnai_queries_processed_total", "Queries", ["rag_enabled"], registry=registry)
        self.info = Gauge("xnai_stack_info", "The stack", ["version", "model"], registry=registry)
        self.info.labels(VERSION, "quoter-1").set(1)
        self.breakers = Gauge(
            "xnai_circuit_breaker_state", "0 closed, 1 half open, 2 open", ["name"], registry=registry
        )
        self.breaker_failures = Counter("xnai_circuit_breaker_failures_total", "Failures", ["name"], registry=registry)
        self.health = Gauge("xnai_service_health", "1 healthy, 0 down", ["service"], registry=registry)
        if layout == "B":
            self.http_requests = Counter(
                "http_requests_total", "Requests", ["handler", "method", "status"], registry=registry
            )
            self.http_duration = Histogram("http_request_duration_seconds", "Latency", ["handler"], registry=registry)

    def count_request(self, endpoint: str, method: str, status: int, seconds: float) -> None:
        """Count a request that has ended."""
        method = method if method in {"GET", "POST", "HEAD", "PUT", "DELETE", "OPTIONS", "PATCH"} else "other"
        self.requests.labels(endpoint, method, str(status)).inc()
        self.latency.labels(endpoint, method).observe(seconds * 1000)
        if self.layout == "B":
            self.http_requests.labels(endpoint, method, f"{status // 100}xx").inc()
            self.http_duration.labels(endpoint).observe(seconds)

    def text(self) -> bytes:
        """Return all samples in the text format."""
        self.memory.labels("api").set(psutil.Process().memory_info().rss)
        return generate_latest(self.registry)


METRICS = web.AppKey("metrics", Metrics)
