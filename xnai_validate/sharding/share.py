"""One shard of a plan, as a plan of its own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from xnai_validate.model.json import JsonValue
from xnai_validate.model.results.report import Criterion, Shard
from xnai_validate.model.results.status import Status
from xnai_validate.model.secrets.masking import Masker
from xnai_validate.plan import NOTHING, Plan, PlannedCheck
from xnai_validate.sharding.identity import digest_of_split, digests_by_suite
from xnai_validate.sharding.split import split

SPANS = "its checks are in several shards; the merged report judges it"
"""Why a shard does not judge a success criterion."""


def shard_of(
    plan: Plan,
    number: int,
    count: int,
    *,
    known_s: Mapping[str, float] = NOTHING,
    stack: JsonValue = None,
    fail_on: tuple[Status, ...] = (Status.FAIL,),
    fail_if_none: bool = False,
) -> Plan:
    """Return the plan of shard `number` of `count`, from 1; it may be empty if there are fewer chains than shards.

    Args:
        plan: the whole plan.
        number: which shard.
        count: how many there are.
        known_s: full id -> seconds that a check takes, the same for every shard.
        stack: the description of the stack, whose texts may differ from shard to shard.
        fail_on: the statuses that make the merged run fail.
        fail_if_none: whether the merged run is undecided if every check was skipped.
    """
    made = split(plan, count, known_s)
    own, measured = made.shares[number - 1], made.measured[number - 1]
    shard = Shard(
        number=number,
        count=count,
        plan=digests_by_suite(plan, stack),
        split=digest_of_split(made.shares),
        share={check.id: place for place, check in enumerate(plan.checks, 1) if check.id in own},
        planned=len(plan.checks),
        title=Masker(plan.secrets).text(plan.title),
        narrowed=plan.narrowed,
        criteria=plan.criteria,
        fail_on=fail_on,
        fail_if_none=fail_if_none,
    )
    more = len(measured) - len(own)
    needed = f", and {more} more that these need and that count in other shards" if more else ""
    return replace(
        plan,
        title=f"{plan.title}, shard {shard.name}",
        checks=tuple(check for check in plan.checks if check.id in measured),
        criteria=tuple(_limit_criterion(criterion, plan, own) for criterion in plan.criteria),
        narrowed=plan.narrowed or count > 1,
        shard=shard,
        notices=(*plan.notices, f"shard {shard.name}: {len(own)} of {len(plan.checks)} checks{needed}"),
    )


def _limit_criterion(criterion: Criterion, plan: Plan, own: frozenset[str]) -> Criterion:
    """Return a criterion as this shard judges it: only if all checks that it counts are its own."""
    counted = {check.id for check in plan.checks if _is_counted(criterion, check)}
    if criterion.not_judged is not None or (counted and counted <= own):
        return criterion
    return replace(criterion, not_judged=SPANS)


def _is_counted(criterion: Criterion, check: PlannedCheck) -> bool:
    """Return whether a criterion counts a check."""
    return criterion.scope in ("total", check.info.category)
