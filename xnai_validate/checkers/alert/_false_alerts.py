"""Alerts about services other than the lost one, compared with how these services are."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from xnai_validate.checkers._steps import failure
from xnai_validate.checkers.alert._inbox import Receipt
from xnai_validate.kit import Context, Observation, XnaiError

EVERY_S = 0.5
"""How often the services of other alerts are observed."""


@dataclass(frozen=True, slots=True)
class FalseAlerts:
    """What became of the alerts about other services."""

    services: list[str] = field(default_factory=list)
    """Those that were well for as long as their alerts stood."""
    reasons: dict[str, str] = field(default_factory=dict)
    """Service -> why its alert is not judged: its observation does not hold, in words."""


async def find_false_alerts(
    ctx: Context, bystanders: Mapping[str, Observation], standing: Callable[[], set[str]], within_s: float
) -> FalseAlerts:
    """Observe the services whose alerts stand, until these are resolved or `within_s` seconds are over.

    A monitor on a busy machine may rightly announce a service that was away for one of its checks: its alert is
    resolved by a later one. So only an alert that stays, while its service is well at every observation, is false.
    """
    deadline = ctx.clock.monotonic() + within_s
    reasons: dict[str, str] = {}
    while suspects := sorted((standing() & set(bystanders)) - set(reasons)):
        is_last = ctx.clock.monotonic() >= deadline
        ctx.progress(f"are these well, which alerts name as failed: {', '.join(suspects)}?")
        for service in suspects:
            if (why := await _why_unwell(ctx, bystanders[service])) is not None:
                reasons[service] = why
        if is_last:
            break
        await ctx.clock.sleep(EVERY_S)
    return FalseAlerts([service for service in suspects if service not in reasons], reasons)


async def _why_unwell(ctx: Context, observation: Observation) -> str | None:
    """Return why a service is not well by its observation; None if it is."""
    try:
        return failure(observation, await ctx.observe(observation))
    except XnaiError as error:
        return error.message


def standing_services(receipts: list[Receipt]) -> set[str]:
    """The services whose last alert, in the order of arrival, names them as failed."""
    states = {
        service: receipt.notice.state
        for receipt in receipts
        if (service := receipt.notice.fields.get("service")) and receipt.notice.state in ("firing", "resolved")
    }
    return {service for service, state in states.items() if state == "firing"}
