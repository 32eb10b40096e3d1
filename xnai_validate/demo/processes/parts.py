"""The parts of the embedded stack: what each consists of, where it listens, and how it is probed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from xnai_validate.demo.settings import Layout

Kind = Literal["redis", "apps", "task"]


@dataclass(frozen=True, slots=True)
class Part:
    """One part of the stack: a process that the supervisor forks, watches and restarts."""

    name: str
    kind: Kind
    """redis: the Redis program. apps: an ASGI application a port, in one process. task: a coroutine of its own."""
    ports: tuple[str, ...] = ()
    """Names in `Settings.ports` that it listens on."""
    code: tuple[str, ...] = ()
    """`module:function`. apps: `create(settings) -> ASGI app`, one a port; task: `run(settings, sockets, ready)`."""
    probe: str | None = None
    """Path, relative to the target's url, that answers 200 while the part works."""
    restart: bool = True
    """Whether it is started again when it dies."""
    workers: int = 1
    """Processes that share its listening sockets; if there are several, the part's own process runs them as a pool."""
    layouts: tuple[Layout, ...] = ("A", "B")


_DEMO = "xnai_validate.demo"

PARTS: tuple[Part, ...] = (
    Part("redis", "redis"),
    Part("tls", "task", ("redis",), (f"{_DEMO}.services.tls:run",), layouts=("B",)),
    Part("llm", "apps", ("llm",), (f"{_DEMO}.llm.app:create",), probe="/health"),
    Part(
        "api",
        "apps",
        ("api", "metrics"),
        (f"{_DEMO}.api.app:create", f"{_DEMO}.api.monitoring.metrics:create"),
        probe="/health",
        workers=2,
    ),
    Part("gateway", "task", ("gateway",), (f"{_DEMO}.services.gateway.gateway:run",), probe="/"),
    Part("ui", "apps", ("ui",), (f"{_DEMO}.services.ui:create",), probe="/"),
    Part("docs", "apps", ("docs",), (f"{_DEMO}.services.docs:create",), probe="/"),
    Part("vikunja", "apps", ("vikunja",), (f"{_DEMO}.services.vikunja:create",), probe="/api/v1/info"),
    Part("voice", "apps", ("voice",), (f"{_DEMO}.services.voice:create",), probe="/health"),
    Part("worker", "task", (), (f"{_DEMO}.services.worker:run",)),
)


ALERTS = "alerts"
"""The port that no part listens on: the monitor posts its alerts there, for the tool that receives them."""


def parts_of(layout: Layout) -> tuple[Part, ...]:
    """The parts that a layout has, in the order in which they are started."""
    return tuple(part for part in PARTS if layout in part.layouts)


def port_names(layout: Layout) -> tuple[str, ...]:
    """Every port that the layout needs; `redis_plain` is where Redis listens behind its TLS front in layout B."""
    names = [*(port for part in parts_of(layout) for port in part.ports), ALERTS]
    return (*names, "redis_plain") if layout == "B" else ("redis", *names)
