"""Alerts: to the Redis stream `xnai:alerts`, and to a webhook where one is configured.

None is lost while Redis is away.
"""

from __future__ import annotations

import asyncio
import json
import uuid
from collections import deque
from datetime import UTC, datetime
from urllib.parse import urlsplit

from redis.exceptions import RedisError

from xnai_validate.demo.api.failures import StoreUnavailable
from xnai_validate.demo.api.store import Store
from xnai_validate.demo.api.wire import WireError, request
from xnai_validate.demo.settings import Settings

STREAM = "xnai:alerts"
_KEPT = 1000
_WAITING_MOST = 200
_WEBHOOK_TIMEOUT_S = 2.0
_LATE_S = 20.0

Alert = dict[str, str]


class Alerts:
    """Sends each alert once to each of its receivers, in order.

    What cannot be sent now waits, the oldest 200 at the most.
    """

    def __init__(self, settings: Settings, store: Store) -> None:
        self._settings, self._store = settings, store
        self._for_redis: deque[Alert] = deque(maxlen=_WAITING_MOST)
        self._for_webhook: deque[Alert] = deque(maxlen=_WAITING_MOST)

    def raise_alert(self, kind: str, service: str, severity: str, message: str, **more: str) -> None:
        """Queue an alert.

        `kind` is status_change, recovery or recovery_action; `severity` info, warning or critical.
        """
        if self._settings.broken("alerts-missing"):
            return
        alert = {
            "alert_id": str(uuid.uuid4()),
            "type": kind,
            "service": service,
            "severity": severity,
            "message": message,
            "timestamp": datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            **more,
        }
        if self._settings.broken("alerts-bare"):
            alert = {name: alert[name] for name in alert if name not in ("severity", "timestamp")}
        if self._settings.broken("alerts-late"):
            asyncio.get_running_loop().call_later(_LATE_S, self._queue, alert)
        else:
            self._queue(alert)

    def _queue(self, alert: Alert) -> None:
        for _ in range(2 if self._settings.broken("alerts-twice") else 1):
            if not self._settings.broken("alerts-stream-silent"):
                self._for_redis.append(alert)
            if self._settings.alert_webhook and not self._settings.broken("alerts-webhook-silent"):
                self._for_webhook.append(alert)

    async def deliver(self) -> None:
        """Send what waits, as far as its receivers can be reached."""
        while self._for_redis and await self._to_redis(self._for_redis[0]):
            self._for_redis.popleft()
        while self._for_webhook and await self._to_webhook(self._for_webhook[0]):
            self._for_webhook.popleft()

    async def _to_redis(self, alert: Alert) -> bool:
        # redis-py's stub asks for a dict of a wider value type than it needs.
        fields = dict(alert)
        try:
            await self._store.run(lambda redis: redis.xadd(STREAM, fields, maxlen=_KEPT, approximate=True))  # type: ignore[arg-type]
        except (StoreUnavailable, RedisError):
            return self._settings.broken("alerts-lost-without-redis")
        return True

    async def _to_webhook(self, alert: Alert) -> bool:
        url = urlsplit(self._settings.alert_webhook or "")
        try:
            body = json.dumps(alert).encode()
            async with request(url.port or 80, "POST", url.path or "/", body, timeout_s=_WEBHOOK_TIMEOUT_S) as reply:
                return reply.status < 500 or self._settings.broken("alerts-webhook-gives-up")
        except WireError:
            return self._settings.broken("alerts-webhook-gives-up")
