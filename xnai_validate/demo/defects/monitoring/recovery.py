"""Recoveries that never begin, begin at once, never end, or are announced wrongly."""

from __future__ import annotations

from collections.abc import Callable

from xnai_validate.demo.api.monitoring.monitor import Monitor, check_limit_s
from xnai_validate.demo.api.monitoring.recovery import STEPS, Step, due, try_after
from xnai_validate.demo.defects.defect import Defect

Due = Callable[[str, int], list[tuple[Step, int]]]

NEVER_BEGINS = Defect(
    "recovery-never-begins",
    "A service that stays down is never recovered.",
    checks=("alerts/recovery:begins",),
).changes(due, lambda steps: steps[:0])

AT_ONCE = Defect(
    "recovery-at-once",
    "A service is restarted at its first failure, and a slow answer is one.",
    checks=("alerts/recovery:waits",),
)


@AT_ONCE.wraps(check_limit_s)
def give_up_soon(interval: Callable[[float], float], /, interval_s: float) -> float:
    """Return the limit of a monitor that takes a tenth of its interval for an outage."""
    return interval(interval_s) / 10


@AT_ONCE.wraps(due)
def due_at_first_failure(_: Due, /, service: str, failures: int) -> list[tuple[Step, int]]:
    """Return the steps that are due if each begins at the first failure."""
    steps = [(step, try_after(step, failures - 1)) for step in STEPS.get(service, ())]
    return [(step, number) for step, number in steps if number]


ENDLESS = Defect(
    "recovery-endless", "A service that stays down is restarted again and again.", checks=("alerts/recovery:ends",)
)


@ENDLESS.wraps(due)
def due_at_every_failure(_: Due, /, service: str, failures: int) -> list[tuple[Step, int]]:
    """Return every step that has begun, again at each failure, without an end."""
    steps = STEPS.get(service, ())
    return [(step, failures - step.failures + 1) for step in steps if failures >= step.failures]


SILENT = Defect(
    "recovery-silent", "No alert is raised when a service is up again.", checks=("alerts/recovery:told-once",)
)


@SILENT.wraps(Monitor.announce_recovery)
def announce_nothing(_: Callable[[Monitor, str], None], /, self: Monitor, service: str) -> None:
    """Raise no alert when a service is up again."""


ANNOUNCED_TWICE = Defect(
    "recovery-told-twice", "The recovery of a service is announced twice.", checks=("alerts/recovery:told-once",)
)


@ANNOUNCED_TWICE.wraps(Monitor.recovered)
def recovered_twice(recovered: Callable[[Monitor, str], None], /, self: Monitor, service: str) -> None:
    """Announce twice that a service is up again."""
    recovered(self, service)
    recovered(self, service)
