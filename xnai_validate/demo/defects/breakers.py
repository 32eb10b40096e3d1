"""Defects of the circuit breakers."""

from __future__ import annotations

from xnai_validate.demo.defects.entry import Defect

_STATES = (
    Defect(
        "breaker-never-opens",
        "Breakers stay closed however often a service fails.",
        checks=("breakers/cycle:opens",),
    ),
    Defect(
        "breaker-opens-late",
        "Breakers open after three times as many failures as promised.",
        checks=("breakers/cycle:opens",),
    ),
    Defect(
        "breaker-opens-early",
        "Breakers open at the first failure.",
        checks=("breakers/cycle:opens",),
    ),
    Defect(
        "breaker-never-forgives",
        "A success does not reset the count of failures.",
        checks=("breakers/cycle:forgives",),
    ),
    Defect(
        "breaker-ignores-timeouts",
        "Time-outs are not counted as failures.",
        checks=("breakers/cycle:timeouts-count",),
    ),
    Defect(
        "breaker-open-ignored",
        "An open breaker lets all calls through.",
        checks=("breakers/open:refuses-many",),
    ),
    Defect(
        "breaker-never-recovers",
        "A breaker that has opened stays open for hours.",
        checks=("breakers/cycle:recovers",),
    ),
    Defect(
        "breaker-recovers-early",
        "An open breaker lets calls through after a twentieth of the recovery time.",
        checks=("breakers/cycle:recovers",),
    ),
    Defect(
        "breaker-skips-half-open",
        "An open breaker closes when its time is over, untried.",
        checks=("breakers/cycle:transitions",),
    ),
    Defect(
        "breaker-half-open-admits-all",
        "A half-open breaker lets all callers through.",
        checks=("breakers/cycle:tries-few",),
    ),
    Defect(
        "breaker-tolerates-failed-trials",
        "A half-open breaker stays so when a trial fails.",
        checks=("breakers/cycle:reopens",),
    ),
    Defect(
        "breaker-closes-at-once",
        "A half-open breaker closes after one success.",
        checks=("breakers/cycle:closes",),
    ),
    Defect(
        "breaker-stays-half-open",
        "A half-open breaker never closes again.",
        checks=("breakers/cycle:closes", "breakers/cycle:closes-after-outage"),
    ),
)

_REFUSALS = (
    Defect(
        "circuit-open-500",
        "A call that a breaker refuses is answered with 500.",
        checks=("breakers/cycle:refusal",),
    ),
    Defect(
        "retry-after-missing",
        "A call that a breaker refuses is answered without Retry-After.",
        checks=("breakers/cycle:retry-after",),
    ),
    Defect(
        "retry-after-too-long",
        "A refused caller is told to come back in an hour.",
        checks=("breakers/cycle:retry-after",),
    ),
    Defect(
        "breaker-refuses-slowly",
        "A refusal takes as long as the call that it spares.",
        checks=("breakers/cycle:refuses-quickly", "breakers/open:refuses-many"),
    ),
    Defect(
        "breaker-cascades",
        "While the model's breaker is open, health refuses callers too.",
        checks=("breakers/open:spares-health",),
    ),
    Defect(
        "breaker-serialises-calls",
        "Calls under a breaker run one after another.",
        checks=("breakers/cycle:side-by-side",),
    ),
)

_KEPT = (
    Defect(
        "breaker-memory-only",
        "The state of a breaker is written once and then kept in memory.",
        checks=("breakers/open:obeyed",),
    ),
    Defect(
        "breaker-forgets-on-restart",
        "A restart of the API closes every breaker.",
        checks=("breakers/open:survives-restart",),
    ),
    Defect(
        "breaker-closes-with-key",
        "A breaker whose key is lost in Redis is taken for closed.",
        checks=("breakers/open:survives-loss",),
    ),
    Defect(
        "breaker-never-returns",
        "After Redis was away, a breaker never asks it again.",
        checks=("breakers/open:obeyed-after-outage",),
    ),
    Defect(
        "breaker-needs-redis",
        "While Redis is away, every call under a breaker fails.",
        checks=("breakers/cycle:without-redis",),
    ),
    Defect(
        "breaker-totals-frozen",
        "The totals in a breaker's key stand still.",
        checks=("breakers/cycle:state-counts",),
    ),
    Defect(
        "breaker-metric-stuck",
        "The metric of a breaker's state says closed for ever.",
        checks=("breakers/cycle:told-alike",),
    ),
    Defect(
        "breaker-key-torn-when-open",
        "The key of an open breaker holds half of its JSON.",
        checks=("breakers/cycle:state-kept",),
    ),
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
        checks=(
            "breakers/cycle:state-outlives",
            "dependencies/chain:breaker-rag",
        ),
    ),
)

BREAKERS: tuple[Defect, ...] = (*_STATES, *_REFUSALS, *_KEPT)
"""All of them."""
