"""Alerts: to the Redis stream `xnai:alerts`, and to a webhook if one is configured.

No alert is lost while Redis is away.
"""

from __future__ import annotations

import uuid
from collections import deque
from datetime import UTC, datetime

import httpx
from redis.exceptions import RedisError

from xnai_validate.demo.api.failures import StoreUnavailable
from xnai_validate.demo.api.store import Store
from xnai_validate.demo.seams import seam
from xnai_validate.demo.settings import Settings

STREAM = "xnai:alerts"
_KEPT = 1000
_WAITING_MOST = 200
_WEBHOOK_TIMEOUT_S = 2.0

Alert = dict[str, str]


@seam
def new_alert(kind: str, service: str, severity: str, message: str, more: Alert) -> Alert:
    """The fields of an alert: `alert_id`, `type`, `service`, `severity`, `message`, `timestamp` (UTC), and `more`."""
    return {
        "alert_id": str(uuid.uuid4()),
        "type": kind,
        "service": service,
        "severity": severity,
        "message": message,
        "timestamp": datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        **more,
    }


class Alerts:
    """Sends each alert once to each of its receivers, in order.

    Alerts that cannot be sent now wait, the latest 200 at most.
    """

    def __init__(self, settings: Settings, store: Store, http: httpx.AsyncClient) -> None:
        self._webhook = settings.alert_webhook
        self._store, self._http = store, http
        self._for_redis: deque[Alert] = deque(maxlen=_WAITING_MOST)
        self._for_webhook: deque[Alert] = deque(maxlen=_WAITING_MOST)

    @seam
    def raise_alert(self, kind: str, service: str, severity: str, message: str, **more: str) -> None:
        """Queue an alert.

        `kind` is status_change, recovery or recovery_action; `severity` info, warning or critical.
        """
        self.queue(new_alert(kind, service, severity, message, more))

    @seam
    def queue(self, alert: Alert) -> None:
        """Queue an alert for each of its receivers."""
        self.queue_for_redis(alert)
        if self._webhook:
            self.queue_for_webhook(alert)

    @seam
    def queue_for_redis(self, alert: Alert) -> None:
        """Queue an alert for the Redis stream."""
        self._for_redis.append(alert)

    @seam
    def queue_for_webhook(self, alert: Alert) -> None:
        """Queue an alert for the webhook."""
        self._for_webhook.append(alert)

    async def deliver(self) -> None:
        """Send the alerts that wait, as far as their receivers can be reached."""
        while self._for_redis and await self.send_to_redis(self._for_redis[0]):
            self._for_redis.popleft()
        while self._for_webhook and await self.send_to_webhook(self._for_webhook[0]):
            self._for_webhook.popleft()

    @seam
    async def send_to_redis(self, alert: Alert) -> bool:
        """Add an alert to the stream; whether that is settled."""
        # redis-py's stub asks for a dict of a wider value type than it needs.
        fields = dict(alert)
        try:
            await self._store.run(lambda redis: redis.xadd(STREAM, fields, maxlen=_KEPT, approximate=True))  # type: ignore[arg-type]
        except (StoreUnavailable, RedisError):
            return False
        return True

    @seam
    async def send_to_webhook(self, alert: Alert) -> bool:
        """Post an alert; whether that is settled, which a server error or a failed connection is not."""
        try:
            response = await self._http.post(str(self._webhook), json=alert, timeout=_WEBHOOK_TIMEOUT_S)
        except httpx.HTTPError:
            return False
        return response.status_code < 500
