"""The health monitor: looks at every service again and again, tells each change once, and begins recoveries."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import psutil

from xnai_validate.demo.api.breakers.state import State
from xnai_validate.demo.api.failures import StoreUnavailable
from xnai_validate.demo.api.monitoring import degradation
from xnai_validate.demo.api.monitoring.alerts import Alerts
from xnai_validate.demo.api.monitoring.degradation import Tier
from xnai_validate.demo.api.monitoring.recovery import Step, due
from xnai_validate.demo.api.services import Services
from xnai_validate.demo.api.wire import WireError, request

_GRACE_CHECKS = 3
"""A service that has never been up is down after so many checks: parts of a stack start one after another."""


@dataclass(frozen=True, slots=True)
class Result:
    """One look at a service."""

    healthy: bool
    message: str


Look = Callable[[], Awaitable[Result]]
StatusChange = Callable[[str, str, str, Result], None]
"""Called with service, old status, new status and the result that changed it."""
Recovered = Callable[[str], None]


class Watch:
    """What the monitor knows about one service; `status` is unknown, healthy or unhealthy."""

    def __init__(self, service: str, look: Look) -> None:
        self.service = service
        self.look = look
        self.status = "unknown"
        self.failures = 0

    def judge(self, result: Result) -> str | None:
        """Take a result in; the status before, if this result has changed it."""
        self.failures = 0 if result.healthy else self.failures + 1
        before, now = self.status, "healthy" if result.healthy else "unhealthy"
        if before == "unknown" and not result.healthy and self.failures < _GRACE_CHECKS:
            return None
        self.status = now
        return before if before != now else None


class Monitor:
    """The monitor of one application. Its callbacks are called exactly once for each change."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._interval_s = services.settings.times.monitor_interval_s
        self._alerts = Alerts(services.settings, services.store)
        self._watches = [Watch(name, look) for name, look in self._looks().items()]
        self._tier: Tier | None = None
        self._fallen: set[str] = set()
        self.on_status_change: list[StatusChange] = [self._announce]
        self.on_recovery: list[Recovered] = [self._announce_recovery]

    async def run(self) -> None:
        """Look at everything at every interval, until cancelled."""
        loop = asyncio.get_running_loop()
        due = loop.time()
        while True:
            await self.round()
            due = max(due + self._interval_s, loop.time())
            await asyncio.sleep(due - loop.time())

    async def round(self) -> None:
        """Look at every service once, and keep the degradation record up to date."""
        if not self._services.settings.broken("monitor-asleep"):
            results = await asyncio.gather(*(self._look(watch) for watch in self._watches))
            for watch, result in zip(self._watches, results, strict=True):
                await self._judge(watch, result)
            await self._alerts.deliver()
        await self._degrade()

    async def _look(self, watch: Watch) -> Result:
        """One look, within the interval."""
        try:
            async with asyncio.timeout(self._interval_s):
                return await watch.look()
        except TimeoutError:
            return Result(False, "did not answer in time")

    async def _judge(self, watch: Watch, result: Result) -> None:
        before = watch.judge(result)
        broken = self._services.settings.broken
        self._show(watch, result)
        if before is not None:
            for changed in self.on_status_change:
                changed(watch.service, before, watch.status, result)
            if before == "unhealthy":
                for recovered in self.on_recovery * (2 if broken("recovery-told-twice") else 1):
                    recovered(watch.service)
        if watch.failures and not broken("recovery-never-begins"):
            endless, hasty = broken("recovery-endless"), broken("recovery-at-once")
            for step, attempt in due(watch.service, watch.failures, endless=endless, hasty=hasty):
                await self._recover(watch, step, attempt)

    def _show(self, watch: Watch, result: Result) -> None:
        """Set the gauge of a service."""
        broken = self._services.settings.broken
        if broken("service-health-stuck"):
            return
        if not result.healthy:
            self._fallen.add(watch.service)
        well = result.healthy or broken("service-health-optimistic")
        well = well and not (broken("service-health-pessimistic") and watch.service in self._fallen)
        self._services.metrics.service_health.labels(watch.service).set(1 if well else 0)

    async def _recover(self, watch: Watch, step: Step, attempt: int) -> None:
        """Do what this process can do about a service; what it cannot is asked for by the alert."""
        if watch.service == "redis" and step.action == "restart":
            await self._services.store.reconnect()
        if step.action == "clear_cache":
            await self._services.retrieval.clear_cache()
        message = f"{watch.service} failed {watch.failures} checks in a row: {step.action}"
        more = {"action": step.action, "attempt": str(attempt)}
        self._alerts.raise_alert("recovery_action", watch.service, "critical", message, **more)

    def _announce(self, service: str, old: str, new: str, result: Result) -> None:
        """Tell a change of status; that a service came up for the first time is no news."""
        if old == "unknown" and new == "healthy":
            return
        if new == "healthy" and self._services.settings.broken("alerts-never-resolved"):
            return
        if new == "unhealthy" and self._services.settings.broken("alerts-all-clear-first"):
            self._alerts.raise_alert("status_change", service, "info", "all is well", old_status=new, new_status=old)
        severity = "info" if new == "healthy" else "critical"
        message = f"{service} is {new}: {result.message}"
        self._alerts.raise_alert("status_change", service, severity, message, old_status=old, new_status=new)

    def _announce_recovery(self, service: str) -> None:
        if not self._services.settings.broken("recovery-silent"):
            self._alerts.raise_alert("recovery", service, "info", f"{service} has recovered")

    async def _degrade(self) -> None:
        """Write the tier down when it has changed, and at the start."""
        percent = degradation.memory_percent(self._services.settings)
        tier = degradation.tier(percent)
        if tier != self._tier and not self._services.settings.broken("degradation-unrecorded"):
            await self._services.audit.degradation(tier, percent, psutil.cpu_percent(None))
        self._tier = tier

    def _looks(self) -> dict[str, Look]:
        """How to look at each service that this stack has."""
        ports = self._services.settings.ports
        looks: dict[str, Look] = {
            "redis": self._look_at_redis,
            "rag_api": self._look_at_itself,
            "llm": self._look_at_llm,
        }
        if "ui" in ports:
            looks["chainlit_ui"] = lambda: _answers(ports["ui"], "/")
        if "vikunja" in ports:
            looks["vikunja"] = lambda: _answers(ports["vikunja"], "/api/v1/info")
        return looks

    async def _look_at_redis(self) -> Result:
        try:
            await self._services.store.run(lambda redis: redis.ping(), probe=True)
        except StoreUnavailable as error:
            return Result(False, str(error))
        return Result(True, "answers PING")

    async def _look_at_itself(self) -> Result:
        """This application is well when it has documents and its breaker lets questions through."""
        if not len(self._services.index):
            return Result(False, "the vector store is empty")
        state = self._services.breakers["rag_api"].view.state
        return Result(state is not State.OPEN, f"breaker {state.value}")

    async def _look_at_llm(self) -> Result:
        healthy = await self._services.model.healthy()
        return Result(healthy, "answers" if healthy else "does not answer")


async def _answers(port: int, path: str) -> Result:
    """Look at a service by its HTTP endpoint."""
    try:
        async with request(port, "GET", path) as reply:
            return Result(reply.status < 500, f"status {reply.status}")
    except WireError as error:
        return Result(False, str(error))
