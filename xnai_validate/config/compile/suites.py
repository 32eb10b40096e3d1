"""The suites of a profile: read their files, verify their `needs` and `after`, and plan the selected checks."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field
from fnmatch import translate

from pydantic import ValidationError

from xnai_validate.config.compile.checks import Checks, CheckSource, Suite, full_id
from xnai_validate.config.compile.matrix import KEY as MATRIX
from xnai_validate.config.compile.matrix import Instance, instances
from xnai_validate.config.compile.profile_chain import Profile
from xnai_validate.config.compile.recipes import PARAMS, Recipes
from xnai_validate.config.compile.selection.filters import cycle
from xnai_validate.config.compile.selection.id_globs import GLOB_CAP
from xnai_validate.config.compile.variables.interpolation import Interpolator
from xnai_validate.config.files.recipe import RecipeFile, RecipeHead
from xnai_validate.config.files.suite import CheckEntry, SuiteFile, SuiteHead, check_entries
from xnai_validate.config.locate import Library
from xnai_validate.config.yaml_files.document import Source
from xnai_validate.config.yaml_files.problems import Problems, Where
from xnai_validate.config.yaml_files.validation_messages import field_errors
from xnai_validate.kit import FROM_FILE
from xnai_validate.model.json import JsonValue
from xnai_validate.model.suggestions import did_you_mean
from xnai_validate.plan import PlannedCheck

_CHECKS = "checks"


@dataclass(slots=True)
class Suites:
    """Reads each suite once, at its first use, and plans its checks."""

    library: Library
    interpolator: Interpolator
    checks: Checks
    problems: Problems
    recipes: Recipes
    _suites: dict[str, Suite | None] = field(default_factory=dict)
    _planned: dict[str, PlannedCheck | None] = field(default_factory=dict)

    def of_profiles(self, profiles: Iterable[Profile]) -> tuple[PlannedCheck, ...]:
        """The checks that the globs and tags of the profiles select, in the order of the globs and files."""
        selected: dict[str, PlannedCheck] = {}
        for profile in profiles:
            tags = set(profile.file.tags)
            for index, item in enumerate(profile.file.suites if profile.link.selects else ()):
                where = profile.where.at("suites", index)
                for name in self._suite_names(item, where) if isinstance(item, str) else (item.suite,):
                    for check in self._plan_suite(name):
                        if tags and not tags & set(check.info.tags):
                            continue
                        selected.setdefault(check.id, check)
        return tuple(selected.values())

    def _suite_names(self, glob: str, where: Where) -> list[str]:
        """Return the names of the suites that a glob matches; none is an error."""
        matches = re.compile(re.escape(glob) if len(glob) > GLOB_CAP else translate(glob)).match
        names = [name for name in self.library.suites if matches(name)]
        if names == [glob] and self.library.holds_vars(self.library.suites[glob]):
            self.problems.at(where, f"{glob} has vars, not checks", "name it under `vars_files`")
        if not names:
            hint = did_you_mean(glob, self.library.suites)
            self.problems.at(where, f'the glob "{glob}" matches no suite', hint)
        return names

    def _plan_suite(self, name: str) -> list[PlannedCheck]:
        """Plan all checks of a suite that can be read."""
        file = self.library.suites.get(name)
        suite = None if file and self.library.holds_vars(file) else self.get(name)
        planned = (self._plan_check(suite, check_id) for check_id in suite.positions) if suite else ()
        return [check for check in planned if check is not None]

    def get(self, name: str) -> Suite | None:
        """A suite by `<category>/<suite>`, with its needs verified; None if it cannot be read."""
        if name not in self._suites:
            suite = self._read_suite(name)
            self._suites[name] = suite
            if suite is not None:
                self._verify_needs(suite)
        return self._suites[name]

    def _read_suite(self, name: str) -> Suite | None:
        """Read the file of a suite, or fill in the recipe that it is made of; None if it cannot be read."""
        if name not in self.recipes.uses:
            source = self.library.read(self.library.suites[name])
            return read_suite(name, source, self.interpolator, self.problems) if source else None
        recipe = self.recipes.filled(name, self.interpolator)
        if recipe is None:
            return None
        return read_suite(name, recipe.source, recipe.interpolator, self.problems, target=recipe.target)

    def _is_known(self, name: str) -> bool:
        """Whether a suite of this name exists, as a file or as the use of a recipe."""
        return name in self.library.suites or name in self.recipes.uses

    def _plan_check(self, suite: Suite, check_id: str) -> PlannedCheck | None:
        """Return the plan of a check, made at the first call; None if it has errors."""
        source = suite.unplanned.pop(check_id, None)
        if source is not None:
            self._planned[check_id] = self.checks.plan(suite, check_id, source)
        return self._planned.get(check_id)

    def _verify_needs(self, suite: Suite) -> None:
        """Note an error for each unknown check under `needs` and `after` of a suite and of its checks."""
        for key, ids in (("needs", suite.head.needs), ("after", suite.head.after)):
            for index, need in enumerate(ids):
                self._verify_need(suite, need, suite.where.at(key, index))
        for check_id, source in suite.unplanned.items():
            for key, ids in (("needs", source.entry.needs), ("after", source.entry.after)):
                for index, need in enumerate(ids):
                    self._verify_need(suite, need, suite.where_of(check_id).at(key, index))

    def _verify_need(self, suite: Suite, need: str, where: Where) -> None:
        """Note an error if one entry of `needs` or `after` names an unknown suite or check."""
        needed = full_id(suite.name, need)
        home = needed.partition(":")[0]
        if not self._is_known(home):
            known = [*self.library.suites, *self.recipes.uses]
            self.problems.at(where, f'unknown suite "{home}"', did_you_mean(home, known))
            return
        other = self.get(home)
        if other is not None and needed not in other.positions:
            self.problems.at(where, f'unknown check "{needed}"', did_you_mean(needed, other.positions))

    def files_without(self, names: Collection[str], matches: Callable[[str], bool]) -> set[str]:
        """Return the files of suites that were read, are not in `names`, and have no check that `matches` accepts."""
        found = set()
        for name, suite in self._suites.items():
            source = self.library.read(self.library.suites[name]) if name in self.library.suites else None
            if source is None or name in names:
                continue
            ids = list(suite.positions) if suite is not None else [f"{name}:"]
            if not any(map(matches, ids)):
                found.add(source.file)
        return found

    def add_needed_checks(self, selected: Iterable[PlannedCheck]) -> tuple[PlannedCheck, ...]:
        """Return the selected checks, preceded by all checks that they need, directly or not, of whichever suite."""
        known = {check.id: check for check in selected}
        added: dict[str, PlannedCheck] = {}
        pending = [need for check in known.values() for need in check.needs]
        while pending:
            need = pending.pop()
            home = need.partition(":")[0]
            if need in known or need in added or not self._is_known(home):
                continue
            suite = self.get(home)
            check = self._plan_check(suite, need) if suite is not None else None
            if check is not None:
                added[need] = check
                pending += check.needs
        return (*sorted(added.values(), key=lambda check: check.id), *known.values())

    def refuse_cycle(self, checks: Collection[PlannedCheck]) -> None:
        """Report needs that form a cycle, also together with `after`, as an error with the path."""
        needs = {check.id: check.needs for check in checks}
        order = {check.id: (*check.needs, *check.after) for check in checks}
        path, key, how = cycle(needs), "needs", "need each other"
        if path is None:
            path, key, how = cycle(order), "after", "wait for each other"
        if path is None:
            return
        suite = self.get(path[0].partition(":")[0])
        where = suite.where_of(path[0]).at(key) if suite else Where(None)
        self.problems.at(where, f"checks {how}: {' -> '.join(path)}", key=True)


def read_suite(
    name: str, source: Source, interpolator: Interpolator, problems: Problems, *, target: str | None = None
) -> Suite | None:
    """The suite of a file, with all checks that are valid; None if not even its head can be read.

    With `target`, that of a recipe: its checks measure this target.
    """
    whole = Where(source)
    if not isinstance(source.value, dict):
        problems.at(whole, "a suite is a mapping with title and checks")
        return None
    head = _read_head(name, source, interpolator, problems, target)
    checks = source.value.get(_CHECKS)
    if not isinstance(checks, list) or not checks:
        problems.at(whole.at(_CHECKS), "a suite has a list of checks")
        return None
    suite = Suite(name, name.partition("/")[0], head, source, interpolator)
    _read_checks(suite, checks, interpolator, problems)
    suite.find_shared_needs()
    return suite


def _read_head(
    name: str, source: Source, interpolator: Interpolator, problems: Problems, target: str | None
) -> SuiteHead:
    """The head of a suite, or of a recipe for a target; if it has errors, which are noted, only its name."""
    assert isinstance(source.value, dict)
    # The parameters of a recipe are read before: their defaults may refer to vars.
    raw = {key: value for key, value in source.value.items() if key not in (_CHECKS, PARAMS) or target is None}
    raw.pop(_CHECKS, None)
    whole = Where(source)
    if source.templated:
        interpolated = interpolator.value(raw, whole)
        raw = interpolated if isinstance(interpolated, dict) else raw
    head_model: type[SuiteHead] = SuiteHead if target is None else RecipeHead
    try:
        head = head_model.model_validate(raw, context=FROM_FILE)
    except ValidationError as error:
        file_model, noun = (SuiteFile, "a suite") if target is None else (RecipeFile, "a recipe")
        problems.extend_at(whole, field_errors(error, raw, file_model, noun))
        head = SuiteHead.model_construct(title=name)
    if target is None:
        return head
    return head.model_copy(update={"defaults": head.defaults.model_copy(update={"target": target})})


def _read_checks(suite: Suite, raw: list[JsonValue], interpolator: Interpolator, problems: Problems) -> None:
    """Validate each check and empty the list meanwhile: of thousands of checks, nothing is kept twice."""
    templated = suite.source.templated
    for index, item in enumerate(raw):
        raw[index] = None
        here = Where(suite.source, (_CHECKS, index))
        made: Iterable[Instance] = (Instance(item, interpolator),)
        if isinstance(item, dict) and item.get(MATRIX) is not None:
            made = instances(item, interpolator, here, problems)
        for instance in made:
            value, missing = instance.item, 0
            known = instance.interpolator
            if templated:
                missing = known.missing_values
                value = known.value(value, here)
                missing = known.missing_values - missing
            _read_check(suite, index, value, instance.suffix, missing, problems)


def _read_check(suite: Suite, index: int, value: JsonValue, suffix: str, missing: int, problems: Problems) -> None:
    """Validate one check of the list at `index`, whose id gets a suffix, and add it to the suite."""
    here = Where(suite.source, (_CHECKS, index))
    entry = _validate_entry(value, here, problems)
    if isinstance(value, dict) and "id" in value:
        check_id = full_id(suite.name, str(value["id"])) + suffix
        if entry is None:
            suite.positions.setdefault(check_id, index)
        elif check_id in suite.unplanned:
            first = suite.line_of(check_id)
            problems.at(here.at("id"), f'the id "{entry.id}{suffix}" stands in this suite twice, first in line {first}')
        else:
            suite.positions[check_id] = index
            suite.unplanned[check_id] = CheckSource(entry, value.get("with", {}), missing > 0)


def _validate_entry(value: JsonValue, where: Where, problems: Problems) -> CheckEntry | None:
    """Validate a check as it is written; None, with errors noted, if it is wrong."""
    try:
        return check_entries().validate_python(value, context=FROM_FILE)
    except ValidationError as error:
        problems.extend_at(where, field_errors(error, value, CheckEntry, "a check"))
        return None
