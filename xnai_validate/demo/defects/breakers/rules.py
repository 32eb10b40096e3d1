"""Breakers that open, stay open or close at the wrong moment."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace

from xnai_validate.demo.api.breakers.breaker import Breaker, counts
from xnai_validate.demo.api.breakers.breakers import rule_of
from xnai_validate.demo.api.breakers.state import (
    Outcome,
    Rule,
    Snapshot,
    State,
    after_failed_trial,
    state_after_recovery_time,
    while_closed,
    with_totals,
)
from xnai_validate.demo.api.breakers.trials import Trials
from xnai_validate.demo.api.failures import ServiceFailure, ServiceTimeout
from xnai_validate.demo.defects.defect import Defect

NEVER_OPENS = Defect(
    "breaker-never-opens",
    "Breakers stay closed however often a service fails.",
    checks=("breakers/cycle:opens", "breakers/cache:opens"),
).changes(rule_of, lambda rule: replace(rule, failures=1_000_000))

OPENS_LATE = Defect(
    "breaker-opens-late",
    "Breakers open after three times as many failures as promised.",
    checks=("breakers/cycle:opens",),
).changes(rule_of, lambda rule: replace(rule, failures=3 * rule.failures))

OPENS_EARLY = Defect(
    "breaker-opens-early",
    "Breakers open at the first failure.",
    checks=("breakers/cycle:opens", "breakers/cache:threshold"),
).changes(rule_of, lambda rule: replace(rule, failures=1))

NEVER_RECOVERS = Defect(
    "breaker-never-recovers",
    "A breaker that has opened stays open for hours.",
    checks=("breakers/cycle:recovers",),
).changes(rule_of, lambda rule: replace(rule, recovery_s=1000 * rule.recovery_s))

RECOVERS_EARLY = Defect(
    "breaker-recovers-early",
    "An open breaker lets calls through after a twentieth of the recovery time.",
    checks=("breakers/cycle:recovers",),
).changes(rule_of, lambda rule: replace(rule, recovery_s=rule.recovery_s / 20))

CLOSES_AT_ONCE = Defect(
    "breaker-closes-at-once",
    "A half-open breaker closes after one success.",
    checks=("breakers/cycle:closes",),
).changes(rule_of, lambda rule: replace(rule, successes=1))

STAYS_HALF_OPEN = Defect(
    "breaker-stays-half-open",
    "A half-open breaker never closes again.",
    checks=("breakers/cycle:closes", "breakers/cache:closes"),
).changes(rule_of, lambda rule: replace(rule, successes=1_000_000))

SKIPS_HALF_OPEN = Defect(
    "breaker-skips-half-open",
    "An open breaker closes when its time is over, untried.",
    checks=("breakers/cycle:transitions",),
).changes(state_after_recovery_time, lambda _: State.CLOSED)

NEVER_FORGIVES = Defect(
    "breaker-never-forgives",
    "A success does not reset the count of failures.",
    checks=("breakers/cycle:forgives", "breakers/open:forgives"),
)


@NEVER_FORGIVES.wraps(while_closed)
def keep_failures(
    original: Callable[[Snapshot, Outcome, Rule], Snapshot], /, snapshot: Snapshot, event: Outcome, rule: Rule
) -> Snapshot:
    """Keep the count of failures after a success, where it goes back to 0."""
    changed = original(snapshot, event, rule)
    return changed if event.failed else changed.model_copy(update={"failure_count": snapshot.failure_count})


IGNORES_TIMEOUTS = Defect(
    "breaker-ignores-timeouts",
    "Time-outs are not counted as failures.",
    checks=("breakers/cycle:timeouts-count",),
)


@IGNORES_TIMEOUTS.wraps(counts)
def counts_unless_late(original: Callable[[ServiceFailure], bool], /, failure: ServiceFailure) -> bool:
    """Count a failure unless it is a time-out."""
    return original(failure) and not isinstance(failure, ServiceTimeout)


OPEN_IGNORED = Defect(
    "breaker-open-ignored",
    "An open breaker lets all calls through.",
    checks=("breakers/open:opens",),
)


@OPEN_IGNORED.wraps(Breaker.admit)
async def admit_when_open(admit: Callable[[Breaker], Awaitable[str | None]], /, self: Breaker) -> str | None:
    """Let every call through while the breaker is open."""
    return None if (await self.read()).state is State.OPEN else await admit(self)


ADMITS_ALL = Defect(
    "breaker-half-open-admits-all",
    "A half-open breaker lets all calls through.",
    checks=("breakers/cycle:tries-few",),
)


@ADMITS_ALL.wraps(Trials.take)
async def take_uncounted(
    take: Callable[[Trials, Snapshot], Awaitable[str | None]], /, self: Trials, view: Snapshot
) -> str | None:
    """Let a call through as a trial, also when all trials of the half-open breaker are taken."""
    return await take(self, view) or "uncounted"


TOLERATES_FAILED_TRIALS = Defect(
    "breaker-tolerates-failed-trials",
    "A half-open breaker stays so when a trial fails.",
    checks=("breakers/cycle:reopens", "breakers/cache:reopens"),
)


@TOLERATES_FAILED_TRIALS.wraps(after_failed_trial)
def stay_half_open(_: Callable[[Snapshot, float], Snapshot], /, snapshot: Snapshot, at: float) -> Snapshot:
    """Leave the breaker half-open after a failed trial."""
    return snapshot


TOTALS_FROZEN = Defect(
    "breaker-totals-frozen",
    "The totals in a breaker's key stand still.",
    checks=("breakers/cycle:state-counts", "breakers/open:counted"),
)


@TOTALS_FROZEN.wraps(with_totals)
def same_totals(_: Callable[[Snapshot, Outcome], Snapshot], /, snapshot: Snapshot, event: Outcome) -> Snapshot:
    """Return the state with its totals unchanged."""
    return snapshot
