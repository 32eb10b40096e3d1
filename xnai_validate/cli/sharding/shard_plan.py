"""The part of a plan that `run --shard K/N` measures."""

from __future__ import annotations

from collections.abc import Mapping

from xnai_validate.cli.running.options import RunOptions
from xnai_validate.history.shard_times import read_shard_times
from xnai_validate.model.json import JsonObject
from xnai_validate.plan import NOTHING, Plan
from xnai_validate.sharding.share import shard_of


def with_shard(plan: Plan, options: RunOptions, stack: JsonObject | None) -> Plan:
    """Return the part of the plan that the options name, else the plan itself. Raises ConfigError.

    Only the options and files decide which part that is, never the earlier runs of this machine: each job of a CI
    matrix has other ones, or none, and all jobs must divide the plan in the same way.
    """
    if options.shard is None:
        return plan
    known_s: Mapping[str, float] = NOTHING if options.shard_times is None else read_shard_times(options.shard_times)
    return shard_of(
        plan,
        *options.shard,
        known_s=known_s,
        stack=stack,
        fail_on=options.failing,
        fail_if_none=options.failing_if_none,
    )
