"""Loads the plan of a run, for the urls at which its targets answer."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace

from xnai_validate.config.compile.load import load_plan
from xnai_validate.config.options import LoadOptions
from xnai_validate.engine import SystemClock, settle_targets
from xnai_validate.errors import ConfigError
from xnai_validate.plan import Plan


def load_selected(profiles: Sequence[str], load: LoadOptions) -> Plan:
    """Load a plan; raises ConfigError for errors in its files, and if no check is selected."""
    plan = load_plan(profiles, load)
    if not plan.checks:
        raise ConfigError(
            f"no check of {' '.join(profiles)} is selected",
            hint="see --only, --tag and --skip-tag; xnai-validate list shows the checks of a profile",
        )
    return plan


def settle(plan: Plan, profiles: Sequence[str], load: LoadOptions) -> Plan:
    """Return the plan for the candidate urls that answer; `plan` itself if no target has several candidates.

    The first plan has verified every file, so that nothing is sent for a profile with errors. The variables of a plan
    depend on the candidate (such as the prefix of an API), so it is compiled again for the candidates that answer.
    """
    if all(len(target.candidates) == 1 or target.choice is not None for target in plan.targets.values()):
        return plan
    choices = asyncio.run(settle_targets(plan, SystemClock(), load.wait_s))
    return load_plan(profiles, replace(load, choices=choices))
