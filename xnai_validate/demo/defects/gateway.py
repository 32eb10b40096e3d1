"""Defects of the gateway."""

from __future__ import annotations

from xnai_validate.demo.defects.entry import Defect

GATEWAY: tuple[Defect, ...] = (
    Defect(
        "gateway-buffers",
        "The gateway collects a whole response, streams too, before it passes it on.",
        checks=("streaming/stream:through-gateway",),
    ),
    Defect(
        "gateway-wrong-prefix",
        "The gateway strips the API's prefix where it must keep it, or keeps it.",
        checks=(
            "services/gateway:routes-api",
            "services/gateway:same-truth",
        ),
    ),
    Defect("gateway-no-hsts", "Strict-Transport-Security is not added.", checks=("services/gateway:hsts",)),
    Defect("gateway-no-nosniff", "X-Content-Type-Options is not added.", checks=("services/gateway:nosniff",)),
    Defect("gateway-no-frame-options", "X-Frame-Options is not added.", checks=("services/gateway:no-framing",)),
    Defect("gateway-no-referrer-policy", "Referrer-Policy is not added.", checks=("services/gateway:referrer",)),
    Defect(
        "gateway-eats-request-id",
        "X-Request-ID passes neither to the API nor back.",
        checks=("services/gateway:request-id",),
    ),
    Defect(
        "gateway-gzips-streams",
        "Event streams are compressed, and so come in lumps.",
        checks=("streaming/stream:through-gateway",),
    ),
    Defect(
        "gateway-unknown-is-200",
        "Unknown paths are answered with 200 and a page.",
        checks=("services/gateway:unknown-path",),
        layout="A",
    ),
    Defect(
        "gateway-vikunja-to-ui",
        "/vikunja leads to the user interface.",
        checks=("services/gateway:routes-vikunja",),
        layout="A",
    ),
    Defect("gateway-no-metrics", "/metrics is not routed.", checks=("services/gateway:routes-metrics",), layout="A"),
    Defect(
        "gateway-no-websocket",
        "The upgrade to a WebSocket is not passed on.",
        checks=("api/websocket:through-gateway",),
        layout="B",
    ),
    Defect(
        "gateway-keeps-upstream",
        "When a client leaves, the upstream goes on to the end of its answer.",
        checks=("streaming/cleanup:stops-through-gateway",),
    ),
    Defect(
        "gateway-http10",
        "The gateway answers in HTTP/1.0 and closes every connection.",
        checks=("services/gateway:http-1-1",),
    ),
    Defect(
        "gateway-slow", "The gateway adds over two seconds to every request.", checks=("services/gateway:http-1-1",)
    ),
    Defect(
        "gateway-one-at-a-time",
        "The gateway handles one request at a time.",
        checks=("performance/load:gateway",),
    ),
    Defect(
        "gateway-rewrites-errors",
        "Errors of the API are replaced by a page of the gateway.",
        checks=("services/gateway:passes-errors", "errors/chain:model-silent-gateway"),
    ),
    Defect(
        "gateway-drops-retry-after",
        "Retry-After does not reach the client.",
        checks=("breakers/open:retry-after-through-gateway",),
    ),
    Defect(
        "gateway-drops-query",
        "The query string is not passed on.",
        checks=("services/gateway:passes-queries",),
        layout="B",
    ),
    Defect(
        "gateway-small-bodies",
        "Request bodies above 1 kB are refused with 413.",
        checks=("services/gateway:passes-bodies",),
    ),
    Defect(
        "gateway-caches",
        "Answers to GET are kept for a minute, health and metrics too.",
        checks=("services/gateway:fresh",),
    ),
)
