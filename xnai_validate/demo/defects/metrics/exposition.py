"""Metrics that are exposed wrongly, or not at all."""

from __future__ import annotations

from collections.abc import Callable

from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from xnai_validate.demo.api.app import entry
from xnai_validate.demo.api.monitoring.metrics import latency_label, shown, to_response
from xnai_validate.demo.defects.defect import Defect
from xnai_validate.demo.settings import Settings

MISSING = Defect("metrics-missing", "The API's own /metrics answers 404.", checks=("api/metrics:at-root",), layout="B")


@MISSING.wraps(entry)
def without_metrics(original: Callable[[Settings, ASGIApp], ASGIApp], /, settings: Settings, app: ASGIApp) -> ASGIApp:
    """Send requests for /metrics to a path that does not exist."""

    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"] == "/metrics":
            scope = {**scope, "path": "/no-metrics", "raw_path": b"/no-metrics"}
        await app(scope, receive, send)

    return original(settings, serve)


def _as_json(response: Response) -> Response:
    """Declare the response as JSON."""
    response.headers["Content-Type"] = "application/json"
    return response


CONTENT_TYPE = Defect(
    "metrics-content-type", "Metrics are sent as JSON by their content type.", checks=("api/metrics:content-type",)
).changes(to_response, _as_json)

HISTOGRAM_MISSING = Defect(
    "metrics-histogram-missing",
    "There is no latency histogram.",
    checks=("api/metrics:families", "api/metrics:latency-histogram"),
).changes(shown, lambda families: (family for family in families if family.name != "xnai_response_latency_ms"))

BREAKER_MISSING = Defect(
    "metrics-breaker-missing",
    "The states of the breakers are not among the metrics.",
    checks=("api/metrics:monitor-families",),
).changes(shown, lambda families: (family for family in families if family.name != "xnai_circuit_breaker_state"))

UNBOUNDED_LABEL = Defect(
    "metrics-unbounded-label",
    "Every request makes a time series of its own.",
    checks=("api/metrics:labels-bounded",),
)


@UNBOUNDED_LABEL.wraps(latency_label)
def label_with_id(original: Callable[[str, str], str], /, endpoint: str, request_id: str) -> str:
    """Return a label that contains the id of the request, so that each request has a time series."""
    return f"{original(endpoint, request_id)}#{request_id}"
