"""`load_plan`: from the names of profiles to a plan, with every mistake of all files told together."""

from __future__ import annotations

import gc
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from xnai_validate.config.compile.checks import Checks, with_wait
from xnai_validate.config.compile.conditions import Conditions
from xnai_validate.config.compile.consent import Consent
from xnai_validate.config.compile.interpolation import Interpolator
from xnai_validate.config.compile.measurements import Measurements
from xnai_validate.config.compile.profile_chain import Chain, Profile
from xnai_validate.config.compile.selection import closure, is_narrowed, select
from xnai_validate.config.compile.suites import Suites
from xnai_validate.config.compile.targets import Targets, with_probes
from xnai_validate.config.compile.thresholds_and_limits import apply_thresholds, criteria_of, limits_of, thresholds_of
from xnai_validate.config.compile.variable_sources import lay_vars, misfit, read_handover
from xnai_validate.config.compile.variables import VarSpace
from xnai_validate.config.files.common import DefaultsEntry
from xnai_validate.config.files.profile import Handover
from xnai_validate.config.locate import Library
from xnai_validate.config.options import LoadOptions
from xnai_validate.config.yaml_files.problems import Problems
from xnai_validate.model.suggestions import did_you_mean
from xnai_validate.plan import Plan, PlannedCheck

_NO_OPTIONS = LoadOptions()


def load_plan(names: Sequence[str], options: LoadOptions = _NO_OPTIONS) -> Plan:
    """The plan of one or several profiles, named or given as paths of YAML files.

    Everything is verified before anything is touched: kinds, params, rules, targets, needs, vars. Raises `Mistakes`
    with all mistakes of all files. A plan may be empty: then nothing was selected.
    """
    problems = Problems()
    library = Library(options, problems)
    with collector_paused():
        chain = Chain(library, problems)
        for name in dict.fromkeys(names):
            chain.add(name)
        return Loader(options, library, chain, problems).plan(tuple(dict.fromkeys(names)))


@contextmanager
def collector_paused() -> Iterator[None]:
    """No garbage collection meanwhile: nothing that is loaded is garbage, and looking for it takes long."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


@dataclass()
class Loader:
    """One loading of profiles; holds what its steps share."""

    options: LoadOptions
    library: Library
    chain: Chain
    problems: Problems
    notices: dict[str, None] = field(default_factory=dict)

    def plan(self, names: tuple[str, ...]) -> Plan:
        """The plan of the chain; raises Mistakes."""
        if self.chain.lacks_vars:  # without them most of the rest would seem wrong
            self.problems.raise_if_any()
        handover = read_handover(self.options.stack, self.problems)
        space = VarSpace()
        lay_vars(space, self.chain.links.values(), self.options, handover)
        self.interpolator = Interpolator(self.options.environ, space, self.problems)
        self.profiles = self.chain.verified(self.interpolator)
        self.problems_if_unreadable()
        secrets = self.interpolator.secrets
        targets = Targets(self.options, self.problems, secrets).build(self.profiles, handover)
        self.measurements = Measurements(self.problems, frozenset(targets), secrets)
        checks = Checks(
            self.measurements,
            Conditions(self.interpolator, self.problems),
            self.problems,
            targets,
            _defaults(self.profiles),
            Consent(
                self.options.allow.union(*(profile.file.allow for profile in self.profiles)),
                self.options.allow_remote,
                targets,
            ),
        )
        suites = Suites(self.library, self.interpolator, checks, self.problems)
        own = suites.of_profiles(self.profiles)
        everything = suites.with_needed(own)
        suites.refuse_circles(everything)
        tightened = apply_thresholds(everything, thresholds_of(self.profiles), self.measurements, self.problems)
        chosen = self._chosen(tightened, {check.id for check in own})
        categories = [name.partition("/")[0] for name in self.library.suites]
        criteria = criteria_of(self.profiles, categories, checks.consent.allow, self.problems)
        if criteria and is_narrowed(self.options):
            self.notices["the selection is narrower than the profile, so its success criteria are not judged"] = None
            criteria = ()
        limits = limits_of(self.profiles, self.options, self.problems)
        final_targets = with_probes(targets, self.profiles, self.measurements)
        all_vars = self.interpolator.all_vars()
        self._refuse_unused(handover)
        self.problems.raise_if_any()
        if len(names) > 1:
            self.notices[f"profiles are laid over one another in this order: {', '.join(names)}"] = None
        return Plan(
            title=" + ".join(profile.file.title for profile in self.profiles if profile.link.named),
            profiles=names,
            checks=chosen,
            targets=final_targets,
            criteria=criteria,
            limits=limits,
            vars=all_vars,
            notices=(*self.library.notices, *self.notices),
            secrets=frozenset(secret for secret in secrets if secret),
        )

    def problems_if_unreadable(self) -> None:
        """Go on without profiles only where there is something to go on with."""
        if not self.profiles:
            self.problems.raise_if_any()

    def _chosen(self, everything: tuple[PlannedCheck, ...], own: set[str]) -> tuple[PlannedCheck, ...]:
        """What is run: the selected checks of the profile and all that they need."""
        selected = select([check for check in everything if check.id in own], self.options, self.problems)
        chosen = closure(selected, {check.id: check for check in everything})
        extra = [check.id for check in chosen[: len(chosen) - len(selected)]]
        if extra:
            listed = ", ".join(extra[:5]) + (", ..." if len(extra) > 5 else "")
            self.notices[f"{len(extra)} more run because others need them: {listed}"] = None
        if self.options.wait_s is None:
            return chosen
        needed = {need for check in chosen for need in check.needs}
        return tuple(with_wait(check, self.options.wait_s) if check.id in needed else check for check in chosen)

    def _refuse_unused(self, handover: Handover | None) -> None:
        """What the command line sets must be known to a profile or be used by a check."""
        written = {name for profile in self.profiles for name in profile.file.targets}
        written |= set(handover.targets) if handover else set()
        for name in self.options.targets:
            if name not in written | self.measurements.asked:
                self.problems.plain(f'--target {name}: unknown target "{name}"', did_you_mean(name, written))
        bare = VarSpace()
        lay_vars(bare, self.chain.links.values(), replace(self.options, vars={}), handover)
        for name in self.options.vars:
            default, _, there = bare.find(name)
            if not there and name not in self.interpolator.asked:
                known = list(bare.paths())
                self.problems.plain(f'--var {name}: unknown var "{name}"', did_you_mean(name, known))
            elif unfit := misfit(default, self.options.vars[name]):
                self.problems.plain(f"--var {name}: {unfit}")


def _defaults(profiles: Iterable[Profile]) -> DefaultsEntry:
    """The defaults of all profiles; later ones replace what they name."""
    given: dict[str, Any] = {}
    for profile in profiles:
        entry = profile.file.defaults
        given |= {name: getattr(entry, name) for name in entry.model_fields_set}
    return DefaultsEntry.model_construct(**given)
