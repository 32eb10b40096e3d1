"""The checks of all suites that a profile runs, and of those suites that they need."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from fnmatch import translate

from xnai_validate.config.compile.checks import Checks, shared_needs
from xnai_validate.config.compile.interpolation import Interpolator
from xnai_validate.config.compile.profile_chain import Profile
from xnai_validate.config.compile.selection import circle
from xnai_validate.config.files.suite import Suite, full_id, read_suite
from xnai_validate.config.locate import Library
from xnai_validate.config.yaml_files.problems import Problems, Where
from xnai_validate.model.suggestions import did_you_mean
from xnai_validate.plan import PlannedCheck


@dataclass(slots=True)
class Suites:
    """Reads suites when they are asked for, and plans their checks; each once."""

    library: Library
    interpolator: Interpolator
    checks: Checks
    problems: Problems
    _read: dict[str, Suite | None] = field(default_factory=dict)
    _shared: dict[str, tuple[tuple[str, ...], frozenset[str]]] = field(default_factory=dict)
    _planned: dict[str, PlannedCheck | None] = field(default_factory=dict)

    def of_profiles(self, profiles: Iterable[Profile]) -> tuple[PlannedCheck, ...]:
        """The checks that the profiles' globs and tags select, in the order of the globs and files."""
        found: dict[str, PlannedCheck] = {}
        for profile in profiles:
            tags = set(profile.file.tags)
            for index, glob in enumerate(profile.file.suites):
                for name in self._matching(glob, profile.where.at("suites", index)):
                    for check in self._all_of(name):
                        if tags and not tags & set(check.info.tags):
                            continue
                        found.setdefault(check.id, check)
        return tuple(found.values())

    def _matching(self, glob: str, where: Where) -> list[str]:
        matches = re.compile(translate(glob)).match
        names = [name for name in self.library.suites if matches(name)]
        if names == [glob] and self.library.holds_vars(self.library.suites[glob]):
            self.problems.at(where, f"{glob} has vars, not checks", "name it under `vars_files`")
        if not names:
            hint = did_you_mean(glob, self.library.suites)
            self.problems.at(where, f'the glob "{glob}" matches no suite', hint)
        return names

    def _all_of(self, name: str) -> list[PlannedCheck]:
        suite = None if self.library.holds_vars(self.library.suites[name]) else self.read(name)
        planned = (self._plan(suite, check_id) for check_id in suite.places) if suite else ()
        return [check for check in planned if check is not None]

    def read(self, name: str) -> Suite | None:
        """A suite by `<category>/<suite>`, its needs verified; None where it cannot be read."""
        if name not in self._read:
            source = self.library.read(self.library.suites[name])
            suite = read_suite(name, source, self.interpolator, self.problems) if source else None
            self._read[name] = suite
            if suite is not None:
                self._shared[name] = shared_needs(suite)
                self._verify_needs(suite)
        return self._read[name]

    def _plan(self, suite: Suite, check_id: str) -> PlannedCheck | None:
        written = suite.unplanned.pop(check_id, None)
        if written is not None:
            needs, exempt = self._shared[suite.name]
            self._planned[check_id] = self.checks.plan(suite, check_id, written, () if check_id in exempt else needs)
        return self._planned.get(check_id)

    def _verify_needs(self, suite: Suite) -> None:
        for index, need in enumerate(suite.head.needs):
            self._verify_need(suite, need, suite.where.at("needs", index))
        for check_id, one in suite.unplanned.items():
            for index, need in enumerate(one.entry.needs):
                self._verify_need(suite, need, suite.where_of(check_id).at("needs", index))

    def _verify_need(self, suite: Suite, need: str, where: Where) -> None:
        wanted = full_id(suite.name, need)
        home = wanted.partition(":")[0]
        if home not in self.library.suites:
            self.problems.at(where, f'unknown suite "{home}"', did_you_mean(home, self.library.suites))
            return
        found = self.read(home)
        if found is not None and wanted not in found.places:
            self.problems.at(where, f'unknown check "{wanted}"', did_you_mean(wanted, found.places))

    def with_needed(self, own: Iterable[PlannedCheck]) -> tuple[PlannedCheck, ...]:
        """The checks and, before them, what they need of suites that the profile does not run."""
        known = {check.id: check for check in own}
        added: dict[str, PlannedCheck] = {}
        open_ = [need for check in known.values() for need in check.needs]
        while open_:
            need = open_.pop()
            home = need.partition(":")[0]
            if need in known or need in added or home not in self.library.suites:
                continue
            suite = self.read(home)
            check = self._plan(suite, need) if suite is not None else None
            if check is not None:
                added[need] = check
                open_ += check.needs
        return (*sorted(added.values(), key=lambda check: check.id), *known.values())

    def refuse_circles(self, checks: Iterable[PlannedCheck]) -> None:
        """Note a circle of needs as a mistake, with the path."""
        path = circle(checks)
        if path is None:
            return
        suite = self.read(path[0].partition(":")[0])
        where = suite.where_of(path[0]).at("needs") if suite else Where(None)
        self.problems.at(where, f"checks need each other: {' -> '.join(path)}", key=True)
