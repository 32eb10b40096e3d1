"""Parts that are not running, and a port that is not listened on."""

from __future__ import annotations

from collections.abc import Callable

from xnai_validate.demo.defects.defect import Defect
from xnai_validate.demo.processes.parts import Part
from xnai_validate.demo.processes.supervision.child import Ready, Sockets, run_part
from xnai_validate.demo.processes.supervision.supervisor import is_started
from xnai_validate.demo.settings import Settings


def _down(name: str, description: str, *checks: str) -> Defect:
    """A defect whose part, the first word of its name, is never started: its port refuses connections."""
    defect = Defect(f"{name}-down", description, checks=checks)

    @defect.wraps(is_started)
    def started_unless_down(original: Callable[[Part], bool], /, part: Part) -> bool:
        return part.name != name and original(part)

    return defect


DOWN = (
    _down("redis", "Redis is not running.", "services/ports:redis", "services/answers:api-health"),
    _down("api", "The API is not running.", "services/ports:api", "services/ports:metrics"),
    _down("gateway", "The gateway is not running.", "services/ports:gateway"),
    _down("llm", "The model server is not running.", "services/ports:llm", "api/query:answers"),
    _down("ui", "The user interface is not running.", "services/ports:ui"),
    _down("docs", "The documentation server is not running.", "services/ports:docs"),
    _down("vikunja", "Vikunja is not running.", "services/ports:vikunja"),
    _down("voice", "The voice service is not running.", "services/ports:voice"),
)

METRICS_PORT_CLOSED = Defect(
    "metrics-port-closed", "The port of the metrics server is not listened on.", checks=("services/ports:metrics",)
)


@METRICS_PORT_CLOSED.wraps(run_part)
def run_without_metrics(
    run: Callable[[Part, Settings, Sockets, Ready], None],
    /,
    part: Part,
    settings: Settings,
    sockets: Sockets,
    ready: Ready,
) -> None:
    """Close the socket of the metrics server before a part runs."""
    if "metrics" in sockets:
        sockets.pop("metrics").close()
    run(part, settings, sockets, ready)
