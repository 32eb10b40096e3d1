"""When a service that stays down is recovered: after how many failures, how often, and how far apart."""

from __future__ import annotations

from dataclasses import dataclass

from xnai_validate.demo.seams import seam


@dataclass(frozen=True, slots=True)
class Step:
    """An action for a service after a number of failed checks in a row. Times are in checks."""

    failures: int
    action: str
    tries: int = 1
    apart: int = 1
    """Checks from one try to the next."""
    cooldown: int = 10
    """Checks after the last try before the step begins again, if the service is still down."""


STEPS: dict[str, tuple[Step, ...]] = {
    "redis": (Step(3, "restart", tries=2, apart=2, cooldown=10), Step(5, "manual", cooldown=1000)),
    "rag_api": (Step(2, "restart", tries=3, apart=1, cooldown=6), Step(5, "clear_cache", cooldown=1000)),
    "chainlit_ui": (Step(2, "restart"),),
    "vikunja": (Step(3, "restart"), Step(5, "reconnect_database", cooldown=1000)),
}
"""Service -> its steps."""


@seam
def due(service: str, failures: int) -> list[tuple[Step, int]]:
    """The steps that are due at the n-th failure in a row, each with the number of its try."""
    steps = [(step, try_after(step, failures - step.failures)) for step in STEPS.get(service, ())]
    return [(step, number) for step, number in steps if number]


def try_after(step: Step, checks: int) -> int:
    """Return the number of the attempt that is due `checks` checks after the failure that begins the step, or 0."""
    if checks < 0:
        return 0
    series = (step.tries - 1) * step.apart + step.cooldown
    place = checks % series
    if place % step.apart or place // step.apart >= step.tries:
        return 0
    return checks // series * step.tries + place // step.apart + 1
