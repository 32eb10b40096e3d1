"""A single check, verified and planned: what `explain` shows of it."""

from __future__ import annotations

from dataclasses import replace

from xnai_validate.config.catalogue import Catalogue
from xnai_validate.config.compile.load import load_plan, plan_of_recipes, plan_of_suites
from xnai_validate.config.locate import RECIPES
from xnai_validate.errors import ConfigError
from xnai_validate.model.suggestions import did_you_mean
from xnai_validate.plan import Plan, PlannedCheck


def plan_check(check_id: str, known: Catalogue) -> tuple[PlannedCheck, frozenset[str]]:
    """Return a check under the profile that runs it (see `Catalogue.homes`), and the secrets in the plan.

    The secrets must not be shown. Raises ConfigError for an unknown id, and `InvalidConfig` if its suite has errors.
    """
    suite = check_id.partition(":")[0]
    if suite in known.library.suites:
        narrowed = replace(known.options, only=(), rerun=frozenset({check_id}))
        plan: Plan | None = plan_of_suites((suite,), narrowed, known.homes((suite,))[suite], known.cache)
    elif suite.startswith(f"{RECIPES}/") and suite.partition("/")[2] in known.library.recipes:
        plan = plan_of_recipes((suite.partition("/")[2],), known.options, known.cache)
    else:
        home = next((profile.name for profile in known.profiles if suite in profile.recipe_suites), None)
        plan = load_plan((home,), replace(known.options, only=(check_id,)), known.cache) if home else None
    check = next((check for check in plan.checks if check.id == check_id), None) if plan else None
    if plan is not None and check is not None:
        return check, plan.secrets
    hint = did_you_mean(check_id, [check.id for check in known.checks])
    raise ConfigError(f'unknown check "{check_id}"', hint=hint)
