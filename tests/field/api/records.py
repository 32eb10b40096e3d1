"""What the API writes to Redis about questions and about the degradation of the host."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass

import psutil

from tests.field.api.store import Store

_AUDIT = 10_000


@dataclass(frozen=True, slots=True)
class Tier:
    """A tier of degradation: from which percentage of the host's memory, and what an answer may take."""

    number: int
    name: str
    from_percent: float
    top_k: int
    max_tokens: int


TIERS = (
    Tier(4, "Failover", 97, 0, 50),
    Tier(3, "Critical", 92, 1, 100),
    Tier(2, "Constrained", 85, 3, 150),
    Tier(1, "Normal", 0, 5, 256),
)


def tier_now() -> Tier:
    """Return the tier that the host's memory asks for."""
    used = psutil.virtual_memory().percent
    return next(tier for tier in TIERS if used >= tier.from_percent)


class Records:
    """The streams of transactions and the audit trail (layout B), or the last question (layout A)."""

    def __init__(self, layout: str, store: Store) -> None:
        self._layout, self._store = layout, store
        self._last_tier = 0

    async def store(
        self, request_id: str, kind: str, path: str, question: str, sources: list[str], status: str, seconds: float
    ) -> None:
        """Store one step of a question. Raise StoreDownError if Redis does not answer."""
        if self._layout == "A":
            await self._store.call(lambda client: client.set("xnai:last_question", question, ex=60))
            return
        tier = str(tier_now().number)
        now = str(time.time())
        entry = {"txn_id": request_id, "path": path, "status": status, "tier": tier, "timestamp": now}
        if status == "completed":
            entry |= {"status_code": "200", "duration_ms": str(round(seconds * 1000, 2))}
        await self._store.call(lambda client: client.xadd("xnai_queries", entry, maxlen=_AUDIT))  # type: ignore[arg-type]
        if status != "completed":
            return
        audit = {
            "timestamp": now,
            "type": kind,
            "session_id": request_id,
            "tier": tier,
            "query": question,
            "response_preview": "",
            "sources": json.dumps(sources),
            "metrics": json.dumps({"duration_ms": round(seconds * 1000, 2)}),
            "metadata": json.dumps({"txn_id": request_id}),
        }
        await self._store.call(lambda client: client.xadd("xnai_audit_trail", audit, maxlen=_AUDIT))  # type: ignore[arg-type]

    async def record_tier(self) -> None:
        """Store the tier of degradation if it has changed. Raise StoreDownError if Redis does not answer."""
        tier = tier_now()
        if self._layout == "A" or tier.number == self._last_tier:
            return
        entry = {
            "tier": str(tier.number),
            "memory_percent": str(psutil.virtual_memory().percent),
            "cpu_percent": str(psutil.cpu_percent()),
            "timestamp": str(time.time()),
        }
        await self._store.call(lambda client: client.xadd("xnai_degradation", entry, maxlen=100))  # type: ignore[arg-type]
        await self._store.call(lambda client: client.publish("xnai_degradation_events", json.dumps(entry)))
        self._last_tier = tier.number
