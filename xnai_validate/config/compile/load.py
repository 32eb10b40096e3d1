"""`load_plan`: from the names of profiles to a plan, or to all errors of all files at once."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from xnai_validate.config.compile.checks import Checks, with_wait
from xnai_validate.config.compile.criteria_and_limits import criteria_of, limits_of, within_reach
from xnai_validate.config.compile.measurements.measurements import Measurements
from xnai_validate.config.compile.profile_chain import Chain, Profile
from xnai_validate.config.compile.promises import Promises
from xnai_validate.config.compile.recipes import Recipes
from xnai_validate.config.compile.selection.conditions import Conditions
from xnai_validate.config.compile.selection.consent import Consent
from xnai_validate.config.compile.selection.filters import add_needed_ids, is_narrowed, matcher_of, select
from xnai_validate.config.compile.selection.vantage import Vantage
from xnai_validate.config.compile.selection.waivers import Waivers, read_waivers
from xnai_validate.config.compile.steady import SteadyState
from xnai_validate.config.compile.suites import Suites
from xnai_validate.config.compile.targets.logins import with_logins
from xnai_validate.config.compile.targets.targets import Targets, unverified, with_container_states, with_probes
from xnai_validate.config.compile.thresholds import Thresholds
from xnai_validate.config.compile.variables.interpolation import Interpolator
from xnai_validate.config.compile.variables.sources import fill_vars, read_stack_description, type_error
from xnai_validate.config.compile.variables.space import VarSpace
from xnai_validate.config.files.defaults import DefaultsEntry
from xnai_validate.config.files.stack import StackDescription
from xnai_validate.config.locate import RECIPES, Library
from xnai_validate.config.options import LoadOptions
from xnai_validate.config.search_path import ENDINGS
from xnai_validate.config.yaml_files.document import SourceCache, parse_source
from xnai_validate.config.yaml_files.problems import Problems
from xnai_validate.durations import Forecast
from xnai_validate.model.json import JsonValue
from xnai_validate.model.suggestions import did_you_mean
from xnai_validate.plan import Plan, PlannedCheck, PlannedTarget

_NO_OPTIONS = LoadOptions()
_LEFT_OUT = "were left out; lint reports them"


def load_plan(names: Sequence[str], options: LoadOptions = _NO_OPTIONS, cache: SourceCache | None = None) -> Plan:
    """The plan of one or several profiles.

    Everything is validated before anything is touched: kinds, params, rules, targets, needs, vars. A plan without
    checks means that nothing was selected.

    Args:
        names: names of profiles, or paths of YAML files.
        options: where to look, what to override and what to select.
        cache: the files that were parsed before, for programs that load many plans.

    Raises `InvalidConfig` with all errors of all files.
    """
    problems = Problems()
    library = Library(options, problems, cache)
    chain = Chain(library, problems)
    for name in dict.fromkeys(names):
        chain.add(name)
    return Loader(options, library, chain, problems).plan(tuple(dict.fromkeys(names)))


def plan_of_suites(
    suites: tuple[str, ...],
    options: LoadOptions,
    home: str,
    cache: SourceCache | None = None,
    *,
    without: Collection[str] = ("thresholds", "criteria"),
) -> Plan:
    """The plan of some suites under a profile: that of a profile made for them, which extends it.

    It inherits targets and vars, but not the keys in `without`. Raises `InvalidConfig`.
    """
    problems = Problems()
    library = Library(options, problems, cache)
    base = {"extends": home} if home in library.profiles or home.endswith(ENDINGS) else {}
    text = json.dumps({"title": ", ".join(suites), "suites": list(suites), **base})
    source, errors = parse_source(text.encode(), "the suites")
    problems.extend(errors)
    chain = Chain(library, problems)
    if source is not None:
        chain.add_raw("suites", source)
        chain.leave_out(without, but_of="suites")
    return Loader(options, library, chain, problems).plan(("suites",))


def plan_of_recipes(names: tuple[str, ...], options: LoadOptions, cache: SourceCache | None = None) -> Plan:
    """The plan of some recipes with their default parameters, for a target without a url: `recipes/<recipe>:<id>`."""
    problems = Problems()
    library = Library(options, problems, cache)
    uses: JsonValue = [{"recipe": name, "target": RECIPES} for name in names]
    text = json.dumps({"title": "Recipes", "suites": uses, "targets": {RECIPES: {}}})
    source, errors = parse_source(text.encode(), "the recipes")
    problems.extend(errors)
    chain = Chain(library, problems)
    if source is not None:
        chain.add_raw("recipes", source)
    return Loader(options, library, chain, problems).plan(("recipes",))


@dataclass()
class Loader:
    """Compiles a chain of profiles; holds what its steps share."""

    options: LoadOptions
    library: Library
    chain: Chain
    problems: Problems
    notices: dict[str, None] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()

    def plan(self, names: tuple[str, ...]) -> Plan:
        """The plan of the chain; raises InvalidConfig."""
        if self.chain.lacks_vars:  # without them most of the rest would seem wrong
            self.problems.raise_if_any()
        stack = read_stack_description(self.options.stack, self.problems, self.options.stack_file)
        space = VarSpace()
        fill_vars(space, self.chain.links.values(), self.options, stack)
        self.interpolator = Interpolator(
            self.options.environ, space, self.problems, without_environment=self.options.without_environment
        )
        self.profiles = self.chain.verified(self.interpolator)
        if not self.profiles:
            self.problems.raise_if_any()
        secrets = self.interpolator.secrets
        target_builder = Targets(self.options, self.problems, secrets)
        targets = target_builder.build(self.profiles, stack)
        folders = [profile.link.folder for profile in self.profiles if profile.link.folder is not None]
        self.measurements = Measurements(
            self.problems,
            frozenset((*targets, *self.chain.target_names())),
            secrets,
            folders[-1] if folders else None,
        )
        consenting = self.profiles if self.options.profile_consent else ()
        allowed = self.options.allow.union(*(profile.file.allow for profile in consenting))
        checks = self._compiler_of_checks(targets, allowed)
        recipes = Recipes(self.library, self.problems)
        recipes.add(self.profiles)
        suites = Suites(self.library, self.interpolator, checks, self.problems, recipes)
        chosen = self._select_checks(suites, checks.thresholds)
        categories = [name.partition("/")[0] for name in (*self.library.suites, *recipes.uses)]
        criteria = criteria_of(self.profiles, categories, allowed, self.problems)
        if criteria and is_narrowed(self.options):
            self.notices["the selection is narrower than the profile, so its success criteria are not judged"] = None
            criteria = ()
        limits = limits_of(self.profiles, self.options, self.problems)
        steady = SteadyState(self.measurements).of(self.profiles)
        final_targets = with_probes(targets, self.profiles, self.measurements.compile)
        final_targets = with_logins(final_targets, target_builder.logins, self.measurements.compile, self.problems)
        if self.options.wait_s is not None:
            final_targets = with_container_states(final_targets, self.measurements.compile)
        all_vars = self.interpolator.all_vars()
        self._refuse_unused(stack)
        if self.options.only and self.problems.found:
            self._leave_out_unselected(suites, chosen)
        self.problems.raise_if_any()
        if not limits.deadline_is_given:
            limits = replace(limits, deadline_s=Forecast(chosen, limits, steady=steady).expected().deadline_s)
        if len(names) > 1:
            self.notices[f"profiles are merged in this order, later ones override: {', '.join(names)}"] = None
        return Plan(
            title=" + ".join(profile.file.title for profile in self.profiles if profile.link.named),
            profiles=names,
            checks=chosen,
            targets=final_targets,
            criteria=within_reach(criteria, chosen) if criteria else (),
            limits=limits,
            steady=steady,
            vars=all_vars,
            notices=(*self.library.notices, *self.notices),
            warnings=(*unverified(final_targets.values()), *self.warnings),
            secrets=frozenset(secret for secret in secrets if secret),
            unset=tuple(sorted(self.interpolator.unset | target_builder.unset)),
            narrowed=is_narrowed(self.options),
        )

    def _compiler_of_checks(self, targets: Mapping[str, PlannedTarget], allowed: frozenset[str]) -> Checks:
        """Return the compiler of the checks of suites. `allowed`: what the command line and the profiles consent to."""
        return Checks(
            self.measurements,
            Conditions(self.problems),
            self.problems,
            targets,
            _defaults(self.profiles),
            Consent(allowed, self.options.allow_remote, targets),
            Vantage(self.options.workers, targets, self.problems),
            Thresholds(self.profiles, self.measurements),
            Promises(self.library, self.problems, self._is_strict()),
            Waivers(read_waivers(self.library, self.problems, self.chain.folders())),
        )

    def _select_checks(self, suites: Suites, thresholds: Thresholds) -> tuple[PlannedCheck, ...]:
        """Return the checks that run: those that the options select, preceded by all that they need."""
        own = suites.of_profiles(self.profiles)
        known = {check.id: check for check in suites.add_needed_checks(own)}
        suites.refuse_cycle(known.values())
        thresholds.report_unmatched(list(known), self.problems)
        if waivers := suites.checks.waivers:
            self.warnings = tuple(waivers.unmatched(known, self.library))
        tags = {check.id: check.info.tags for check in own}
        selected = select(tags, self.options, self.problems)
        chosen = add_needed_ids(selected, {check_id: check.needs for check_id, check in known.items()})
        extra = chosen[: len(chosen) - len(selected)]
        if extra:
            listed = ", ".join(extra[:5]) + (", ..." if len(extra) > 5 else "")
            self.notices[f"{len(extra)} more run because others need them: {listed}"] = None
        checks = tuple(known[check_id] for check_id in chosen)
        from_places = [check.id for check in checks if check.vantage and check.skip is None]
        self.warnings += suites.checks.vantage.warnings(from_places)
        if self.options.wait_s is None:
            return checks
        needed = {need for check in checks for need in check.needs}
        return tuple(with_wait(check, self.options.wait_s) if check.id in needed else check for check in checks)

    def _leave_out_unselected(self, suites: Suites, chosen: Iterable[PlannedCheck]) -> None:
        """Drop the errors of suites of which --only selects no check and that no selected check needs."""
        needed = {check_id.partition(":")[0] for check in chosen for check_id in (check.id, *check.needs)}
        others = suites.files_without(needed, matcher_of(self.options.only))
        count = self.problems.leave_out(others)
        if count:
            errors, them = ("error", "was left out; lint reports it") if count == 1 else ("errors", _LEFT_OUT)
            self.notices[f"{count} {errors} of suites that are not selected {them}"] = None

    def _is_strict(self) -> bool:
        """Whether the command line or a profile turns warnings about practices into failures."""
        return self.options.strict or any(profile.file.strict for profile in self.profiles)

    def _refuse_unused(self, stack: StackDescription | None) -> None:
        """Note an error for a target or var of the command line that no profile defines and no check uses."""
        defined = {name for profile in self.profiles for name in profile.file.targets}
        defined |= set(stack.targets) if stack else set()
        for name in self.options.targets:
            if name not in defined | self.measurements.named_targets:
                self.problems.plain(f'--target {name}: unknown target "{name}"', did_you_mean(name, defined))
        bare = VarSpace()
        fill_vars(bare, self.chain.links.values(), replace(self.options, vars={}), stack)
        for name in self.options.vars:
            default, _, exists = bare.find(name)
            if not exists and name not in self.interpolator.referenced:
                known = list(bare.paths())
                self.problems.plain(f'--var {name}: unknown var "{name}"', did_you_mean(name, known))
            elif error := type_error(default, self.options.vars[name]):
                self.problems.plain(f"--var {name}: {error}")


def _defaults(profiles: Iterable[Profile]) -> DefaultsEntry:
    """The defaults of all profiles; later profiles replace what they name."""
    named: dict[str, Any] = {}
    for profile in profiles:
        entry = profile.file.defaults
        named |= {name: getattr(entry, name) for name in entry.model_fields_set}
    return DefaultsEntry.model_construct(**named)
