"""What the gateway answers for an upstream that is down."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from xnai_validate.demo.defects.defect import Defect
from xnai_validate.demo.services.gateway.gateway import upstream_failed
from xnai_validate.demo.services.gateway.relay import Client, send_own_page
from xnai_validate.demo.services.gateway.routes import Route

Failed = Callable[[Client, Route, Exception], Awaitable[None]]

IS_200 = Defect(
    "gateway-200-when-down",
    "A dead upstream is answered with 200 and a friendly page.",
    checks=("errors/gateway:upstream-down",),
)


@IS_200.wraps(upstream_failed)
async def send_friendly_page(_: Failed, client: Client, route: Route, error: Exception) -> None:
    """Answer with 200 and a page when the upstream is down."""
    await send_own_page(client, 200, "<h1>We will be right back</h1>\n", "text/html")


LEAKS = Defect(
    "gateway-502-leaks",
    "The page for a dead upstream shows its address and a stack trace.",
    checks=("errors/gateway:no-details",),
)
_TRACE = (
    'Traceback (most recent call last):\n  File "/srv/gateway/proxy.py", line 91, in dial\nConnectionRefusedError: '
)


@LEAKS.wraps(upstream_failed)
async def send_trace(_: Failed, client: Client, route: Route, error: Exception) -> None:
    """Answer with 502 and a text that shows a stack trace and the address of the upstream."""
    address = f"127.0.0.1:{client.settings.ports[route.port]}{route.target}"
    await send_own_page(client, 502, f"{_TRACE}{address}\n")


HAS_PAGE = Defect(
    "gateway-502-page",
    "A dead upstream is answered with 502 and a page of the gateway's own.",
    checks=("errors/gateway:no-details",),
)


@HAS_PAGE.wraps(upstream_failed)
async def send_page_with_502(_: Failed, client: Client, route: Route, error: Exception) -> None:
    """Answer with 502 and a page, where the API would send its error envelope."""
    await send_own_page(client, 502, "<h1>Bad Gateway</h1>\n", "text/html")


WAITS = Defect(
    "gateway-waits-when-down",
    "A dead upstream is reported only after twelve seconds.",
    checks=("errors/gateway:upstream-down",),
)


@WAITS.wraps(upstream_failed)
async def fail_late(failed: Failed, client: Client, route: Route, error: Exception) -> None:
    """Report that the upstream is down only after twelve seconds."""
    await asyncio.sleep(12)
    await failed(client, route, error)
