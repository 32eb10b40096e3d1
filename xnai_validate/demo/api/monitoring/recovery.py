"""When a service that stays down is recovered: after how many failures, how often, how far apart, and when no more."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Step:
    """What is done about a service after so many failed checks in a row. Times are in checks."""

    failures: int
    action: str
    tries: int = 1
    apart: int = 1
    """Checks from one try to the next."""
    cooldown: int = 10
    """Checks after the last try before it begins again, if the service is still down."""


STEPS: dict[str, tuple[Step, ...]] = {
    "redis": (Step(3, "restart", tries=2, apart=2, cooldown=10), Step(5, "manual", cooldown=1000)),
    "rag_api": (Step(2, "restart", tries=3, apart=1, cooldown=6), Step(5, "clear_cache", cooldown=1000)),
    "chainlit_ui": (Step(2, "restart"),),
    "vikunja": (Step(3, "restart"), Step(5, "reconnect_database", cooldown=1000)),
    "llm": (Step(3, "restart"),),
}
"""Service -> its steps."""


def due(service: str, failures: int, *, endless: bool = False, hasty: bool = False) -> list[tuple[Step, int]]:
    """The steps that are due at the n-th failure in a row, each with the number of its try.

    `endless` and `hasty` are defects: no limit of tries; nobody waits for the second failure.
    """
    found = []
    for step in STEPS.get(service, ()):
        since = failures - (1 if hasty else step.failures)
        if since < 0:
            continue
        if endless:
            found.append((step, since + 1))
            continue
        series = (step.tries - 1) * step.apart + step.cooldown
        place = since % series
        if place % step.apart == 0 and place // step.apart < step.tries:
            found.append((step, since // series * step.tries + place // step.apart + 1))
    return found
