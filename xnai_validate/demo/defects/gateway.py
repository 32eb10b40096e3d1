"""Defects of the gateway."""

from __future__ import annotations

from xnai_validate.demo.defects.entry import Defect

GATEWAY: tuple[Defect, ...] = (
    Defect("gateway-buffers", "The gateway collects a whole response, streams too, before it passes it on."),
    Defect("gateway-wrong-prefix", "The gateway strips the API's prefix where it must keep it, or keeps it."),
    Defect("gateway-no-hsts", "Strict-Transport-Security is not added."),
    Defect("gateway-no-nosniff", "X-Content-Type-Options is not added."),
    Defect("gateway-no-frame-options", "X-Frame-Options is not added."),
    Defect("gateway-no-referrer-policy", "Referrer-Policy is not added."),
    Defect("gateway-eats-request-id", "X-Request-ID passes neither to the API nor back."),
    Defect("gateway-200-when-down", "A dead upstream is answered with 200 and a friendly page."),
    Defect(
        "gateway-waits-when-down", "A dead upstream is waited for during many seconds instead of answered with 502."
    ),
    Defect("gateway-502-leaks", "The page for a dead upstream shows its address and a stack trace."),
    Defect("gateway-gzips-streams", "Event streams are compressed, and so come in lumps."),
    Defect("gateway-unknown-is-200", "Unknown paths are answered with 200 and a page.", layout="A"),
    Defect("gateway-vikunja-to-ui", "/vikunja leads to the user interface.", layout="A"),
    Defect("gateway-no-metrics", "/metrics is not routed.", layout="A"),
    Defect("gateway-no-websocket", "The upgrade to a WebSocket is not passed on.", layout="B"),
    Defect("gateway-keeps-upstream", "When a client leaves, the upstream goes on to the end of its answer."),
    Defect("gateway-http10", "The gateway answers in HTTP/1.0 and closes every connection."),
    Defect("gateway-slow", "The gateway adds over two seconds to every request."),
    Defect("gateway-one-at-a-time", "The gateway handles one request at a time."),
    Defect("gateway-rewrites-errors", "Errors of the API are replaced by a page of the gateway."),
    Defect("gateway-drops-retry-after", "Retry-After does not reach the client."),
    Defect("gateway-drops-query", "The query string is not passed on.", layout="B"),
    Defect("gateway-small-bodies", "Request bodies above 1 kB are refused with 413."),
    Defect("gateway-impatient", "A stream that is silent for half a heartbeat is cut off."),
    Defect("gateway-caches", "Answers to GET are kept for a minute, health and metrics too."),
)
