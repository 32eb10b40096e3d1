"""Alerts that are missing, doubled, late, incomplete or lost."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

from xnai_validate.demo.api.monitoring.alerts import Alert, Alerts, new_alert
from xnai_validate.demo.api.monitoring.monitor import Monitor, Result
from xnai_validate.demo.defects.defect import Defect

Queue = Callable[[Alerts, Alert], None]
Send = Callable[[Alerts, Alert], Awaitable[bool]]
Announce = Callable[[Monitor, str, str, str, Result], None]

_LATE_S = 20.0


MISSING = Defect("alerts-missing", "No alert is raised when a service goes down.", checks=("alerts/delivery:arrives",))


@MISSING.wraps(Alerts.raise_alert)
def raise_nothing(
    _: Callable[..., None], /, self: Alerts, kind: str, service: str, severity: str, message: str, **more: str
) -> None:
    """Raise no alert."""


TWICE = Defect("alerts-twice", "Every alert is sent twice.", checks=("alerts/delivery:once",))


@TWICE.wraps(Alerts.queue)
def queue_twice(queue: Queue, /, self: Alerts, alert: Alert) -> None:
    """Queue an alert twice."""
    queue(self, alert)
    queue(self, alert)


OF_THE_WELL = Defect(
    "alerts-of-the-well",
    "With each service that is lost an alert about Redis is sent, which is well.",
    checks=("alerts/delivery:only",),
)


@OF_THE_WELL.wraps(Monitor.announce)
def announce_redis_too(announce: Announce, /, self: Monitor, service: str, old: str, new: str, result: Result) -> None:
    """Announce the change of a service, and the same change of Redis, which has not changed."""
    announce(self, service, old, new, result)
    if service != "redis":
        announce(self, "redis", old, new, result)


LATE = Defect("alerts-late", "Alerts come twenty seconds late.", checks=("alerts/delivery:arrives",))


@LATE.wraps(Alerts.queue)
def queue_late(queue: Queue, /, self: Alerts, alert: Alert) -> None:
    """Queue an alert after twenty seconds."""
    asyncio.get_running_loop().call_later(_LATE_S, queue, self, alert)


BARE = Defect(
    "alerts-bare",
    "Alerts lack their severity and their time.",
    checks=("alerts/delivery:complete", "alerts/delivery:webhook"),
).changes(new_alert, lambda alert: {name: alert[name] for name in alert if name not in ("severity", "timestamp")})

IN_LOCAL_TIME = Defect(
    "alerts-in-local-time",
    "The time of an alert is that of a zone two hours ahead, and called UTC.",
    checks=("alerts/delivery:complete",),
).changes(
    new_alert,
    lambda alert: alert | {"timestamp": f"{datetime.now(UTC) + timedelta(hours=2):%Y-%m-%dT%H:%M:%SZ}"},
)

STREAM_SILENT = Defect("alerts-stream-silent", "Alerts are not written to Redis.", checks=("alerts/delivery:arrives",))


@STREAM_SILENT.wraps(Alerts.queue_for_redis)
def queue_nothing_for_redis(_: Queue, /, self: Alerts, alert: Alert) -> None:
    """Queue no alert for the stream in Redis."""


WEBHOOK_SILENT = Defect(
    "alerts-webhook-silent", "Alerts are not posted to the webhook.", checks=("alerts/delivery:webhook",)
)


@WEBHOOK_SILENT.wraps(Alerts.queue_for_webhook)
def queue_nothing_for_webhook(_: Queue, /, self: Alerts, alert: Alert) -> None:
    """Queue no alert for the webhook."""


WEBHOOK_GIVES_UP = Defect(
    "alerts-webhook-gives-up",
    "An alert that the webhook does not take is never posted again.",
    checks=("alerts/delivery:webhook",),
)


@WEBHOOK_GIVES_UP.wraps(Alerts.send_to_webhook)
async def post_once(send: Send, /, self: Alerts, alert: Alert) -> bool:
    """Post an alert once and report success, even if the webhook refused it."""
    await send(self, alert)
    return True


LOST_WITHOUT_REDIS = Defect(
    "alerts-lost-without-redis",
    "Alerts that cannot be written to Redis are forgotten.",
    checks=("alerts/delivery:redis-down",),
)


@LOST_WITHOUT_REDIS.wraps(Alerts.send_to_redis)
async def write_once(send: Send, /, self: Alerts, alert: Alert) -> bool:
    """Write an alert to Redis once and report success, even if Redis refused it."""
    await send(self, alert)
    return True


NEVER_RESOLVED = Defect(
    "alerts-never-resolved",
    "No alert is raised when a service is healthy again.",
    checks=("alerts/delivery:resolved",),
)


@NEVER_RESOLVED.wraps(Monitor.announce)
def announce_failures(announce: Announce, /, self: Monitor, service: str, old: str, new: str, result: Result) -> None:
    """Announce every change except the one to healthy."""
    if new != "healthy":
        announce(self, service, old, new, result)


ALL_CLEAR_FIRST = Defect(
    "alerts-all-clear-first", "Each alert is preceded by an all-clear.", checks=("alerts/delivery:in-order",)
)


@ALL_CLEAR_FIRST.wraps(Monitor.announce)
def announce_all_clear(announce: Announce, /, self: Monitor, service: str, old: str, new: str, result: Result) -> None:
    """Announce that a service is well before each announcement that it is not."""
    if new == "unhealthy":
        self.alerts.raise_alert("status_change", service, "info", "all is well", old_status=new, new_status=old)
    announce(self, service, old, new, result)
