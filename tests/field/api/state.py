"""What the handlers of the API share."""

from __future__ import annotations

from aiohttp import web

from tests.field.api.answers import MODEL
from tests.field.api.breakers import Breaker
from tests.field.api.metrics import Metrics
from tests.field.api.records import Records, Tier, tier_now
from tests.field.api.store import Store
from tests.field.settings import BREAKERS, GAUGE_NUMBERS, Settings


class ApiState:
    """Redis, breakers, metrics and records of the one process."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.store = Store(settings)
        self.metrics = Metrics(settings.layout)
        self.records = Records(settings.layout, self.store)
        self.breakers = {name: Breaker(name, *limits, self.store) for name, limits in BREAKERS.items()}

    def tier(self) -> Tier:
        """Return the tier of degradation."""
        return tier_now()

    async def failed(self, breaker: str) -> None:
        """Record the failure of a call behind a breaker."""
        self.metrics.breaker_failures.labels(breaker).inc()
        await self.breakers[breaker].leave(succeeded=False)

    def count_answer(self, tokens: int, seconds: float, *, use_rag: bool) -> None:
        """Count an answer."""
        self.metrics.tokens.labels(MODEL).inc(tokens)
        self.metrics.queries.labels(str(use_rag).lower()).inc()
        self.metrics.rate.labels(MODEL).set(tokens / seconds if seconds else 0)

    async def breakers_closed(self) -> bool:
        """Update the gauge of the breakers, and return whether none is open."""
        states = {name: (await breaker.current()).state for name, breaker in self.breakers.items()}
        for name, state in states.items():
            self.metrics.breakers.labels(name).set(GAUGE_NUMBERS.get(state, 0))
        return "open" not in states.values()


STATE = web.AppKey("state", ApiState)
