"""The health monitor: checks every service at an interval, alerts once for each change, and begins recoveries."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import httpx
import psutil

from xnai_validate.demo.api.breakers.state import State
from xnai_validate.demo.api.failures import StoreUnavailable
from xnai_validate.demo.api.monitoring import degradation
from xnai_validate.demo.api.monitoring.alerts import Alerts
from xnai_validate.demo.api.monitoring.degradation import Tier
from xnai_validate.demo.api.monitoring.recovery import Step, due
from xnai_validate.demo.api.services import Services
from xnai_validate.demo.api.time_limit import time_limit
from xnai_validate.demo.seams import seam

_GRACE_CHECKS = 3
"""Failed checks after which a service that was never up counts as down: parts start one after another."""


@dataclass(frozen=True, slots=True)
class Result:
    """The result of one check of a service."""

    healthy: bool
    message: str


Check = Callable[[], Awaitable[Result]]
StatusChange = Callable[[str, str, str, Result], None]
"""Called with service, old status, new status and the result that changed it."""
Recovered = Callable[[str], None]


class Watch:
    """What the monitor knows about one service; `status` is unknown, healthy or unhealthy."""

    def __init__(self, service: str, check: Check) -> None:
        self.service = service
        self.check = check
        self.status = "unknown"
        self.failures = 0

    def judge(self, result: Result) -> str | None:
        """Record a result; returns the status before it if the result has changed the status."""
        self.failures = 0 if result.healthy else self.failures + 1
        before, now = self.status, "healthy" if result.healthy else "unhealthy"
        if before == "unknown" and not result.healthy and self.failures < _GRACE_CHECKS:
            return None
        self.status = now
        return before if before != now else None


@seam
def check_limit_s(interval_s: float) -> float:
    """Return the seconds that one check may take: as long as the interval."""
    return interval_s


class Monitor:
    """The monitor of one application. Its callbacks are called exactly once for each change."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._interval_s = services.settings.times.monitor_interval_s
        self.alerts = Alerts(services.settings, services.store, services.http)
        self._watches = [Watch(name, check) for name, check in self._checks().items()]
        self._tier: Tier | None = None
        self.on_status_change: list[StatusChange] = [self.announce]
        self.on_recovery: list[Recovered] = [self.announce_recovery]

    async def run(self) -> None:
        """Check everything at every interval, until cancelled."""
        loop = asyncio.get_running_loop()
        due_at = loop.time()
        while True:
            await self.round()
            due_at = max(due_at + self._interval_s, loop.time())
            await asyncio.sleep(due_at - loop.time())

    async def round(self) -> None:
        """Check every service once, and keep the degradation record up to date."""
        await self.check_services()
        await self.record_tier()

    @seam
    async def check_services(self) -> None:
        """Check every service once, and send the alerts."""
        results = await asyncio.gather(*(self._check(watch) for watch in self._watches))
        for watch, result in zip(self._watches, results, strict=True):
            await self._judge(watch, result)
        await self.alerts.deliver()

    async def _check(self, watch: Watch) -> Result:
        """One check, within the interval."""
        try:
            async with time_limit(check_limit_s(self._interval_s)):
                return await watch.check()
        except TimeoutError:
            return Result(False, "did not answer in time")

    async def _judge(self, watch: Watch, result: Result) -> None:
        """Take in the result of a probe: show it, announce a change of status, take the recovery steps that are due."""
        before = watch.judge(result)
        self.show(watch.service, is_up=result.healthy)
        if before is not None:
            for changed in self.on_status_change:
                changed(watch.service, before, watch.status, result)
            if before == "unhealthy":
                self.recovered(watch.service)
        if watch.failures:
            for step, attempt in due(watch.service, watch.failures):
                await self._recover(watch, step, attempt)

    @seam
    def recovered(self, service: str) -> None:
        """Call the callbacks for a service that is up again."""
        for callback in self.on_recovery:
            callback(service)

    @seam
    def show(self, service: str, *, is_up: bool) -> None:
        """Set the gauge of a service."""
        self._services.metrics.service_health.labels(service).set(1 if is_up else 0)

    async def _recover(self, watch: Watch, step: Step, attempt: int) -> None:
        """Do what this process can do about a service; for the rest the alert asks."""
        if watch.service == "redis" and step.action == "restart":
            await self._services.store.reconnect()
        if step.action == "clear_cache":
            await self._services.retrieval.clear_cache()
        message = f"{watch.service} failed {watch.failures} checks in a row: {step.action}"
        more = {"action": step.action, "attempt": str(attempt)}
        self.alerts.raise_alert("recovery_action", watch.service, "critical", message, **more)

    @seam
    def announce(self, service: str, old: str, new: str, result: Result) -> None:
        """Alert for a change of status, unless a service is up for the first time."""
        if old == "unknown" and new == "healthy":
            return
        severity = "info" if new == "healthy" else "critical"
        message = f"{service} is {new}: {result.message}"
        self.alerts.raise_alert("status_change", service, severity, message, old_status=old, new_status=new)

    @seam
    def announce_recovery(self, service: str) -> None:
        """Alert for a service that is up again."""
        self.alerts.raise_alert("recovery", service, "info", f"{service} has recovered")

    async def record_tier(self) -> None:
        """Record the tier when it has changed, and at the start."""
        percent = degradation.memory_percent(self._services.settings)
        tier = degradation.tier(percent)
        if tier != self._tier:
            await self._services.audit.degradation(tier, percent, psutil.cpu_percent(None))
        self._tier = tier

    def _checks(self) -> dict[str, Check]:
        """How to check each service that this stack has."""
        ports = self._services.settings.ports
        checks: dict[str, Check] = {
            "redis": self._check_redis,
            "rag_api": self._check_itself,
        }
        if "ui" in ports:
            checks["chainlit_ui"] = lambda: self._check_url(self._services.settings.url("ui") + "/")
        if "vikunja" in ports:
            checks["vikunja"] = lambda: self._check_url(self._services.settings.url("vikunja") + "/api/v1/info")
        return checks

    async def _check_redis(self) -> Result:
        """Send PING to Redis."""
        try:
            await self._services.store.run(lambda redis: redis.ping(), probe=True)
        except StoreUnavailable as error:
            return Result(False, str(error))
        return Result(True, "answers PING")

    async def _check_itself(self) -> Result:
        """This application is healthy when it has documents and its breaker lets questions through."""
        if not len(self._services.index):
            return Result(False, "the vector store is empty")
        state = self._services.breakers["rag_api"].view.state
        return Result(state is not State.OPEN, f"breaker {state.value}")

    async def _check_url(self, url: str) -> Result:
        """Request a url; any status below 500 is healthy."""
        try:
            response = await self._services.http.get(url)
        except httpx.HTTPError as error:
            return Result(False, type(error).__name__)
        return Result(response.status_code < 500, f"status {response.status_code}")
