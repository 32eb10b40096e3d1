"""The pages of the server: /healthz, /metrics and the latest report."""

from __future__ import annotations

import hmac
from collections.abc import Iterator

from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from xnai_validate.cli.serving.latest_run import LatestRun

HEADERS = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer"}
LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "[::1]"})


class Figures(Collector):
    """The gauges of the latest run, for the registry of prometheus-client."""

    def __init__(self, latest: LatestRun) -> None:
        self._latest = latest

    def collect(self) -> Iterator[Metric]:
        """Yield each gauge with its samples."""
        for gauge in self._latest.gauges():
            metric = Metric(gauge.name, gauge.description, "gauge")
            for labels, value in gauge.samples:
                metric.add_sample(gauge.name, dict(labels), value)
            yield metric


class Admission:
    """Refuses clients without the token; without a token, requests that name another host than this one.

    The second keeps web pages out whose name resolves to loopback (DNS rebinding).
    """

    def __init__(self, app: ASGIApp, token: str | None, host: str) -> None:
        self._app = app
        self._token = None if token is None else token.encode()
        self._hosts = LOOPBACK_NAMES | {host, f"[{host}]"}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass an admitted request on, answer any other one."""
        if scope["type"] == "http" and (refusal := self._refuse(Request(scope))) is not None:
            await refusal(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    def _refuse(self, request: Request) -> Response | None:
        """Return the response that refuses a request without the token, or to another host than loopback; else None."""
        if self._token is not None:
            scheme, _, given = request.headers.get("authorization", "").partition(" ")
            # Compared in constant time: how long it takes must not show how much of a guess is right.
            same = hmac.compare_digest(given.strip().encode("utf-8", "replace"), self._token)
            if scheme.lower() == "bearer" and same:
                return None
            return PlainTextResponse("a bearer token is needed\n", 401, {**HEADERS, "WWW-Authenticate": "Bearer"})
        host = request.headers.get("host", "")
        name = host if host.endswith("]") else host.rpartition(":")[0] or host
        if name.lower() in self._hosts:
            return None
        return PlainTextResponse("this server answers under the names of loopback only\n", 421, HEADERS)


def application(latest: LatestRun, token: str | None, host: str) -> Starlette:
    """Return the application; `host` is the name under which it listens."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(Figures(latest))

    async def healthz(request: Request) -> Response:
        """Respond whether the last run passed."""
        health = latest.health()
        return JSONResponse(health.body, health.status, HEADERS)

    async def metrics(request: Request) -> Response:
        """Respond with the metrics of the last run, in the format that the client accepts."""
        encode, content_type = choose_encoder(request.headers.get("accept", ""))
        return Response(encode(registry), headers={**HEADERS, "Content-Type": content_type})

    async def page(request: Request) -> Response:
        """Respond with the report of the last run; 503 before the first one has ended."""
        snapshot = latest.snapshot
        if snapshot is None:
            return PlainTextResponse("no run has ended yet\n", 503, {**HEADERS, "Retry-After": "5"})
        return Response(snapshot.page, headers={**HEADERS, "Content-Type": "text/html; charset=utf-8"})

    routes = [Route("/healthz", healthz), Route("/metrics", metrics), Route("/", page)]
    return Starlette(routes=routes, middleware=[Middleware(Admission, token=token, host=host)])
