"""Which upstream a request of the gateway goes to."""

from __future__ import annotations

from dataclasses import dataclass

from xnai_validate.demo.seams import seam
from xnai_validate.demo.settings import GATEWAY_PREFIX, Layout


@dataclass(frozen=True, slots=True)
class Route:
    """Where a request goes."""

    port: str
    """Name of the upstream's port in `Settings.ports`."""
    target: str
    """Path and query as the upstream receives them."""


@seam
def find_route(layout: Layout, target: str) -> Route | None:
    """The route of a request target (path and query); None if the gateway has none."""
    path = target.partition("?")[0]
    prefix = GATEWAY_PREFIX[layout]
    if _is_under(path, prefix):
        return Route("api", _without(prefix, target) if strips_api_prefix(layout) else target)
    if layout == "B":
        return Route("ui", target)
    if _is_under(path, "/vikunja"):
        return Route("vikunja", _without("/vikunja", target))
    if path == "/metrics":
        return Route("metrics", target)
    return Route("ui", target) if path == "/" else None


@seam
def strips_api_prefix(layout: Layout) -> bool:
    """Whether the prefix under which the gateway offers the API is removed before a request is passed on."""
    return layout == "A"


def _is_under(path: str, prefix: str) -> bool:
    """Whether a path is the prefix, or below it."""
    return path == prefix or path.startswith(prefix + "/")


def _without(prefix: str, target: str) -> str:
    """Return a request target without a prefix; it still begins with a slash."""
    rest = target[len(prefix) :]
    return rest if rest.startswith("/") else "/" + rest
