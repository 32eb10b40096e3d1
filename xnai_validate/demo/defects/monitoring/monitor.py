"""A monitor that does not watch, or whose gauges are wrong."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Protocol
from weakref import WeakKeyDictionary

from xnai_validate.demo.api.monitoring.monitor import Monitor
from xnai_validate.demo.defects.defect import Defect


class Show(Protocol):
    """`Monitor.show`."""

    def __call__(self, monitor: Monitor, service: str, /, *, is_up: bool) -> None: ...


ASLEEP = Defect(
    "monitor-asleep",
    "The health monitor checks no service.",
    checks=("health/monitor:gauge-up",),
)


@ASLEEP.wraps(Monitor.check_services)
async def check_nothing(_: Callable[[Monitor], Awaitable[None]], /, self: Monitor) -> None:
    """Check no service."""


STUCK = Defect(
    "service-health-stuck",
    "The health of the services is not among the metrics.",
    checks=("health/monitor:gauge-up",),
)


@STUCK.wraps(Monitor.show)
def show_nothing(_: Show, /, self: Monitor, service: str, *, is_up: bool) -> None:
    """Set no gauge."""


OPTIMISTIC = Defect(
    "service-health-optimistic",
    "The metrics report every service as up, whatever the monitor finds.",
    checks=("health/monitor:gauge-falls",),
)


@OPTIMISTIC.wraps(Monitor.show)
def show_up(show: Show, /, self: Monitor, service: str, *, is_up: bool) -> None:
    """Set the gauge of a service to up, whatever was found."""
    show(self, service, is_up=True)


PESSIMISTIC = Defect(
    "service-health-pessimistic",
    "The metrics never report a service as up again once it was down.",
    checks=("health/monitor:gauge-rises",),
)
_DOWN: WeakKeyDictionary[Monitor, dict[str, bool]] = WeakKeyDictionary()
"""Service -> whether it was down after it had been up: one that is late at the start is not meant."""


@PESSIMISTIC.wraps(Monitor.show)
def show_down_for_ever(show: Show, /, self: Monitor, service: str, *, is_up: bool) -> None:
    """Set the gauge of a service to down for ever once it was down after it had been up."""
    down = _DOWN.setdefault(self, {})
    if is_up:
        down.setdefault(service, False)
    elif service in down:
        down[service] = True
    show(self, service, is_up=is_up and not down.get(service, False))
