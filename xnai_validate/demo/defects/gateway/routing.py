"""Requests that the gateway sends to the wrong place, or to none."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from xnai_validate.demo.defects.defect import Defect
from xnai_validate.demo.services.gateway.gateway import is_tunnelled, refuse
from xnai_validate.demo.services.gateway.relay import Client, send_own_page
from xnai_validate.demo.services.gateway.routes import Route, find_route, strips_api_prefix
from xnai_validate.demo.settings import Layout

Find = Callable[[Layout, str], Route | None]

WRONG_PREFIX = Defect(
    "gateway-wrong-prefix",
    "The gateway strips the API's prefix where it must keep it, or keeps it where it must strip it.",
    checks=("services/gateway:routes-api", "services/gateway:same-truth"),
).changes(strips_api_prefix, lambda strips: not strips)

DROPS_QUERY = Defect(
    "gateway-drops-query",
    "The query string is not passed on.",
    checks=("services/gateway:passes-queries",),
    layout="B",
)


@DROPS_QUERY.wraps(find_route)
def find_route_of_path(find: Find, layout: Layout, target: str) -> Route | None:
    """Find the route of the path alone, so that the query string is dropped."""
    return find(layout, target.partition("?")[0])


VIKUNJA_TO_UI = Defect(
    "gateway-vikunja-to-ui",
    "/vikunja leads to the user interface.",
    checks=("services/gateway:routes-vikunja",),
    layout="A",
).changes(find_route, lambda route: Route("ui", "/") if route and route.port == "vikunja" else route)

NO_METRICS = Defect(
    "gateway-no-metrics",
    "/metrics is not routed.",
    checks=("services/gateway:routes-metrics",),
    layout="A",
).changes(find_route, lambda route: None if route and route.port == "metrics" else route)

UNKNOWN_IS_200 = Defect(
    "gateway-unknown-is-200",
    "Unknown paths are answered with 200 and a page.",
    checks=("services/gateway:unknown-path",),
    layout="A",
)


@UNKNOWN_IS_200.wraps(refuse)
async def welcome(_: Callable[[Client], Awaitable[None]], client: Client) -> None:
    """Answer an unknown path with 200 and a page."""
    await send_own_page(client, 200, "<h1>Welcome</h1>\n", "text/html")


NO_ASSETS = Defect(
    "gateway-no-assets",
    "The scripts of the user interface lead to the API, which does not have them.",
    checks=("services/gateway:routes-assets",),
    layout="B",
).changes(
    find_route, lambda route: Route("api", route.target) if route and route.target.startswith("/assets/") else route
)


NO_WEBSOCKET = Defect(
    "gateway-no-websocket",
    "The upgrade to a WebSocket is not passed on.",
    checks=("api/websocket:through-gateway",),
    layout="B",
).changes(is_tunnelled, lambda _: False)
