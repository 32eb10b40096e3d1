"""Loads the plan of a run, for the urls at which its targets answer."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace

from xnai_validate.cli.terminal.console import print_notice
from xnai_validate.config.compile.load import load_plan
from xnai_validate.config.options import LoadOptions
from xnai_validate.config.yaml_files.document import SourceCache
from xnai_validate.engine import SystemClock, settle_targets, wait_for_targets
from xnai_validate.errors import ConfigError, XnaiError
from xnai_validate.plan import Plan


def read_ahead(profiles: Sequence[str], load: LoadOptions, cache: SourceCache | None) -> None:
    """Fill the cache with the parsed files of a plan, and import what it needs, before its stack is known.

    Errors are for the load that follows: what a stack describes may be what is missing here.
    """
    with suppress(XnaiError):
        load_plan(profiles, load, cache)


def load_selected(profiles: Sequence[str], load: LoadOptions, cache: SourceCache | None = None) -> Plan:
    """Load a plan; raises ConfigError for errors in its files, and if no check is selected.

    `cache` holds files that were parsed before.
    """
    plan = load_plan(profiles, load, cache)
    if not plan.checks:
        raise ConfigError(
            f"no check of {' '.join(profiles)} is selected",
            hint="see --only, --tag and --skip-tag; xnai-validate list shows the checks of a profile",
        )
    return plan


def await_targets(plan: Plan, profiles: Sequence[str], load: LoadOptions) -> Plan:
    """Return the plan once its targets accept connections or the time of `--wait` is over; its notices report which.

    If the container of a target has ended, the wait ends early, and checks do not wait for it either.
    """
    if load.wait_s is None:
        return plan

    def announce(names: Sequence[str]) -> None:
        """Print a notice of the targets that are waited for."""
        print_notice(f"waiting up to {load.wait_s:g} s for {', '.join(names)}")

    waited = asyncio.run(wait_for_targets(plan, SystemClock(), load.wait_s, announce))
    if waited.hopeless:
        choices = {name: planned.choice for name, planned in plan.targets.items() if planned.choice is not None}
        plan = load_plan(profiles, replace(load, choices=choices, wait_s=None))
    return replace(plan, notices=(*plan.notices, *waited.sentences))


def settle(plan: Plan, profiles: Sequence[str], load: LoadOptions) -> Plan:
    """Return the plan for the candidate urls that answer; `plan` itself if no target has several candidates.

    The first plan has verified every file, so that nothing is sent for a profile with errors. The variables of a plan
    depend on the candidate (such as the prefix of an API), so it is compiled again for the candidates that answer.
    """
    if all(len(target.candidates) == 1 or target.choice is not None for target in plan.targets.values()):
        return plan
    choices = asyncio.run(settle_targets(plan, SystemClock(), load.wait_s))
    return load_plan(profiles, replace(load, choices=choices))
