"""The records that layout B keeps in Redis streams: transactions, the audit trail, degradation."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime

from redis.exceptions import RedisError

from xnai_validate.demo.api.failures import StoreUnavailable
from xnai_validate.demo.api.monitoring.degradation import Tier
from xnai_validate.demo.api.monitoring.metrics import Metrics
from xnai_validate.demo.api.store import Operation, Store
from xnai_validate.demo.seams import seam
from xnai_validate.demo.settings import Settings

_QUERIES_KEPT = 10_000
_TRAIL_KEPT = 10_000
_DEGRADATION_KEPT = 100
_TEXT_KEPT = 500


class Audit:
    """Writes the records of a stack of layout B; layout A has no records.

    Without Redis the records are lost, and questions are still answered.
    """

    def __init__(self, settings: Settings, store: Store, metrics: Metrics) -> None:
        self._settings, self._store, self._metrics = settings, store, metrics
        self._kept = settings.layout == "B"

    @seam
    async def transaction(
        self, txn_id: str, path: str, status: str, tier: Tier, status_code: int | None = None, duration_ms: float = 0.0
    ) -> None:
        """`xnai_queries`: a query or stream was initiated or completed."""
        await self._add_entry(
            "xnai_queries",
            {
                "txn_id": txn_id,
                "path": path,
                "status": status,
                "tier": str(tier.level),
                "status_code": "" if status_code is None else str(status_code),
                "duration_ms": f"{duration_ms:.2f}",
                "timestamp": _now(),
            },
            _QUERIES_KEPT,
        )

    @seam
    async def trail(
        self,
        kind: str,
        session_id: str,
        tier: Tier,
        query: str,
        response: str,
        sources: list[str],
        metrics: Mapping[str, float],
    ) -> None:
        """Add question and answer, shortened, to the stream `xnai_audit_trail`. `kind` is `query` or `stream`."""
        await self._add_entry(
            "xnai_audit_trail",
            {
                "timestamp": _now(),
                "type": kind,
                "session_id": session_id,
                "tier": str(tier.level),
                "query": query[:_TEXT_KEPT],
                "response_preview": response[:_TEXT_KEPT],
                "sources": json.dumps(sources),
                "metrics": json.dumps(dict(metrics)),
                "metadata": json.dumps({"layout": self._settings.layout}),
            },
            _TRAIL_KEPT,
        )

    async def degradation(self, tier: Tier, memory_percent: float, cpu_percent: float) -> None:
        """`xnai_degradation` and the channel `xnai_degradation_events`: the tier has changed."""
        fields = {
            "tier": str(tier.level),
            "memory_percent": f"{memory_percent:.1f}",
            "cpu_percent": f"{cpu_percent:.1f}",
            "timestamp": _now(),
        }
        if await self._add_entry("xnai_degradation", fields, _DEGRADATION_KEPT):
            message = json.dumps(fields)
            await self._try_operation(lambda redis: redis.publish("xnai_degradation_events", message))

    async def _add_entry(self, stream: str, fields: dict[str, str], kept: int) -> bool:
        """Add an entry to a stream; return whether it was added."""
        if not self._kept:
            return False
        # redis-py's stubs ask for a dict of a wider value type than they accept elsewhere.
        return await self._try_operation(lambda redis: redis.xadd(stream, fields, maxlen=kept, approximate=True))  # type: ignore[arg-type]

    async def _try_operation(self, operation: Operation[object]) -> bool:
        """Carry out an operation of Redis; return whether it succeeded, and count a failure."""
        try:
            await self._store.run(operation)
        except (StoreUnavailable, RedisError):
            self._metrics.failed("service_unavailable", "redis")
            return False
        return True


def _now() -> str:
    """ISO 8601, UTC."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
