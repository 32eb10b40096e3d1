"""Records of answers that are missing or wrong (layout B)."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Mapping

from xnai_validate.demo.api.answers.turn import CLIENT_LEFT
from xnai_validate.demo.api.monitoring.audit import Audit
from xnai_validate.demo.api.monitoring.degradation import Tier
from xnai_validate.demo.defects.defect import Defect

Transaction = Callable[[Audit, str, str, str, Tier, int | None, float], Awaitable[None]]


def _change_transactions(defect: Defect, change_id: Callable[[str, int | None], str | None]) -> Defect:
    """Let a defect change the id of each transaction, or, with None, leave the transaction out."""

    @defect.wraps(Audit.transaction)
    async def changed(
        original: Transaction,
        /,
        self: Audit,
        txn_id: str,
        path: str,
        status: str,
        tier: Tier,
        status_code: int | None = None,
        duration_ms: float = 0.0,
    ) -> None:
        changed_id = change_id(txn_id, status_code)
        if changed_id is not None:
            await original(self, changed_id, path, status, tier, status_code, duration_ms)

    return defect


LEFT_OPEN = _change_transactions(
    Defect(
        "transaction-left-open",
        "A stream that its reader left stays initiated in xnai_queries for ever.",
        checks=("rag/accounting:left",),
        layout="B",
    ),
    lambda txn_id, status: None if status == CLIENT_LEFT else txn_id,
)

OTHER_ID = _change_transactions(
    Defect(
        "transaction-other-id",
        "Transactions in xnai_queries have ids of their own, which no client knows.",
        checks=("rag/accounting:transaction",),
        layout="B",
    ),
    lambda _, __: f"txn_{time.time_ns()}",
)

UNRECORDED = _change_transactions(
    Defect(
        "queries-unrecorded",
        "Queries leave no entries in xnai_queries.",
        checks=("dependencies/chain:audit-trail",),
        layout="B",
    ),
    lambda _, __: None,
)

TRAIL_MISSING = Defect(
    "audit-trail-missing",
    "Answers leave no entry in the audit trail.",
    checks=("rag/accounting:trail", "dependencies/chain:audit-trail"),
    layout="B",
)


@TRAIL_MISSING.wraps(Audit.trail)
async def leave_no_trail(
    _: Callable[[Audit, str, str, Tier, str, str, list[str], Mapping[str, float]], Awaitable[None]],
    /,
    self: Audit,
    kind: str,
    session_id: str,
    tier: Tier,
    query: str,
    response: str,
    sources: list[str],
    metrics: Mapping[str, float],
) -> None:
    """Write nothing to the audit trail."""
