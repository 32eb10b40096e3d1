"""Defects of the circuit breakers."""

from __future__ import annotations

from xnai_validate.demo.defects.entry import Defect

_STATES = (
    Defect("breaker-never-opens", "Breakers stay closed however often a service fails.", awaits="breakers"),
    Defect("breaker-opens-late", "Breakers open after three times as many failures as promised.", awaits="breakers"),
    Defect("breaker-opens-early", "Breakers open at the first failure.", awaits="breakers"),
    Defect("breaker-never-forgives", "A success does not reset the count of failures.", awaits="breakers"),
    Defect("breaker-ignores-timeouts", "Time-outs are not counted as failures.", awaits="breakers"),
    Defect("breaker-open-ignored", "An open breaker lets all calls through.", awaits="breakers"),
    Defect("breaker-never-recovers", "A breaker that has opened stays open for hours.", awaits="breakers"),
    Defect(
        "breaker-recovers-early",
        "An open breaker lets calls through after an eighth of the recovery time.",
        awaits="breakers",
    ),
    Defect("breaker-skips-half-open", "An open breaker closes when its time is over, untried.", awaits="breakers"),
    Defect("breaker-half-open-admits-all", "A half-open breaker lets all callers through.", awaits="breakers"),
    Defect("breaker-tolerates-failed-trials", "A half-open breaker stays so when a trial fails.", awaits="breakers"),
    Defect("breaker-closes-at-once", "A half-open breaker closes after one success.", awaits="breakers"),
    Defect("breaker-stays-half-open", "A half-open breaker never closes again.", awaits="breakers"),
)

_REFUSALS = (
    Defect("circuit-open-500", "A call that a breaker refuses is answered with 500.", awaits="breakers"),
    Defect("retry-after-missing", "A call that a breaker refuses is answered without Retry-After.", awaits="breakers"),
    Defect("retry-after-too-long", "A refused caller is told to come back in an hour.", awaits="breakers"),
    Defect("breaker-refuses-slowly", "A refusal takes as long as the call that it spares.", awaits="breakers"),
    Defect("breaker-cascades", "While the model's breaker is open, health refuses callers too.", awaits="breakers"),
    Defect("breaker-serialises-calls", "Calls under a breaker run one after another.", awaits="breakers"),
)

_KEPT = (
    Defect("breaker-memory-only", "The state of a breaker is written once and then kept in memory.", awaits="breakers"),
    Defect("breaker-forgets-on-restart", "A restart of the API closes every breaker.", awaits="breakers"),
    Defect("breaker-closes-with-key", "A breaker whose key is lost in Redis is taken for closed.", awaits="breakers"),
    Defect("breaker-never-returns", "After Redis was away, a breaker never asks it again.", awaits="breakers"),
    Defect("breaker-needs-redis", "While Redis is away, every call under a breaker fails.", awaits="breakers"),
    Defect("breaker-totals-frozen", "The totals in a breaker's key stand still.", awaits="breakers"),
    Defect("breaker-metric-stuck", "The metric of a breaker's state says closed for ever.", awaits="breakers"),
    Defect("breaker-key-torn-when-open", "The key of an open breaker holds half of its JSON.", awaits="breakers"),
    Defect(
        "breaker-keys-missing",
        "The breakers have no keys in Redis.",
        checks=(
            "dependencies/chain:breaker-rag",
            "dependencies/chain:breakers-kept",
        ),
    ),
    Defect(
        "breaker-key-not-json",
        "The keys of the breakers hold something that is not JSON.",
        checks=(
            "dependencies/chain:breaker-rag",
            "dependencies/chain:breakers-kept",
        ),
    ),
    Defect(
        "breaker-key-without-ttl",
        "The keys of the breakers never expire.",
        checks=(
            "dependencies/chain:breaker-rag",
            "dependencies/chain:breakers-kept",
        ),
    ),
    Defect(
        "breaker-key-short-ttl",
        "The keys of the breakers expire before the recovery time is over.",
        checks=("dependencies/chain:breaker-rag",),
    ),
)

BREAKERS: tuple[Defect, ...] = (*_STATES, *_REFUSALS, *_KEPT)
"""All of them."""
