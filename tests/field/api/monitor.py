"""The health monitor: it tries the services at its interval, and announces changes on xnai:alerts."""

from __future__ import annotations

import asyncio
import time

import aiohttp

from tests.field.api.state import ApiState
from tests.field.api.store import StoreDownError
from tests.field.settings import MONITOR_S


class Monitor:
    """What is known of the services, and the alerts that are not delivered yet."""

    def __init__(self, state: ApiState) -> None:
        self._state = state
        self._healthy = {"redis": True, "chainlit_ui": True, "vikunja": True}
        self._pending: list[dict[str, str]] = []

    async def run(self) -> None:
        """Monitor until cancelled."""
        timeout = aiohttp.ClientTimeout(total=MONITOR_S)
        async with aiohttp.ClientSession(timeout=timeout) as session:
            self._state.metrics.health.labels("rag_api").set(1)
            while True:
                await self._round(session)
                await asyncio.sleep(MONITOR_S)

    async def _round(self, session: aiohttp.ClientSession) -> None:
        settings = self._state.settings
        results = await asyncio.gather(
            self._state.store.answers(),
            _responds(session, settings.url("ui") + "/"),
            _responds(session, settings.url("vikunja") + "/api/v1/info"),
        )
        for service, healthy in zip(self._healthy, results, strict=True):
            self._state.metrics.health.labels(service).set(int(healthy))
            if self._healthy[service] != healthy:
                self._announce(service, healthy)
        await self._deliver()

    def _announce(self, service: str, healthy: bool) -> None:
        names = ("unhealthy", "healthy") if healthy else ("healthy", "unhealthy")
        self._healthy[service] = healthy
        self._pending.append(
            {
                "kind": "status_change",
                "service": service,
                "old_status": names[0],
                "new_status": names[1],
                "timestamp": str(time.time()),
            }
        )

    async def _deliver(self) -> None:
        try:
            while self._pending:
                alert = self._pending[0]
                await self._state.store.call(lambda client, entry=alert: client.xadd("xnai:alerts", entry, maxlen=1000))  # type: ignore[misc]
                self._pending.pop(0)
            await self._state.records.record_tier()
        except StoreDownError:
            return
        await self._state.breakers_closed()


async def _responds(session: aiohttp.ClientSession, url: str) -> bool:
    try:
        async with session.get(url) as response:
            return response.status == 200
    except (aiohttp.ClientError, TimeoutError, OSError):
        return False
