"""What there is: all profiles, suites and checks within reach, and one check explained."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from functools import cached_property
from pathlib import Path

from xnai_validate.config.compile.load import Loader, collector_paused, load_plan
from xnai_validate.config.compile.profile_chain import Chain
from xnai_validate.config.files.vars_file import read_vars
from xnai_validate.config.locate import Found, Library, bundled_root
from xnai_validate.config.options import LoadOptions
from xnai_validate.config.yaml_files.document import parse_source
from xnai_validate.config.yaml_files.problems import Problems, Where
from xnai_validate.errors import ConfigError
from xnai_validate.model.json import JsonValue
from xnai_validate.model.source_location import Mistakes
from xnai_validate.model.suggestions import did_you_mean
from xnai_validate.plan import Plan, PlannedCheck

_NO_OPTIONS = LoadOptions()
BASE = "stack"
"""The profile whose targets and vars hold for suites that no profile of their owner's runs."""


@dataclass(frozen=True, slots=True)
class ProfileSummary:
    """A profile, as a list shows it."""

    name: str
    title: str
    file: str
    bundled: bool
    extends: tuple[str, ...]
    suites: tuple[str, ...]
    """Its own globs."""


@dataclass(frozen=True, slots=True)
class CheckSummary:
    """A check, as a list shows it: as written, not verified; `explain` has the rest."""

    id: str
    title: str
    category: str
    kind: str
    target: str | None
    tags: tuple[str, ...]
    covers: tuple[str, ...]
    fix: str | None
    file: str
    line: int


@dataclass(frozen=True, slots=True)
class SuiteSummary:
    """A suite, as a list shows it."""

    name: str
    title: str
    file: str
    bundled: bool
    covers: tuple[str, ...]
    checks: tuple[CheckSummary, ...]

    @property
    def category(self) -> str:
        """The folder it lies in."""
        return self.name.partition("/")[0]


@dataclass()
class Catalogue:
    """Everything within reach, read when it is asked for; imports no checker.

    Files that are no YAML raise `Mistakes`; other mistakes are those of `load_plan` and `lint`.
    """

    options: LoadOptions
    _problems: Problems = field(default_factory=Problems)

    @cached_property
    def _library(self) -> Library:
        return Library(self.options, self._problems)

    @cached_property
    def profiles(self) -> tuple[ProfileSummary, ...]:
        """Every profile, by name."""
        found = tuple(self._profile(one) for one in self._library.profiles.values())
        self._problems.raise_if_any()
        return found

    @cached_property
    def suites(self) -> tuple[SuiteSummary, ...]:
        """Every suite, by category and name."""
        with collector_paused():
            found = tuple(self._suite(one) for one in suites_of(self._library))
        self._problems.raise_if_any()
        return found

    @property
    def checks(self) -> tuple[CheckSummary, ...]:
        """Every check of every suite."""
        return tuple(check for suite in self.suites for check in suite.checks)

    def explain(self, check_id: str) -> PlannedCheck:
        """A check with its params verified and its rules, under the profile that runs it (see `homes`)."""
        return self.explained(check_id)[0]

    def explained(self, check_id: str) -> tuple[PlannedCheck, frozenset[str]]:
        """The same, and the secrets that stand in it and must not be shown.

        Raises ConfigError for an unknown id, and `Mistakes` where its suite has some.
        """
        suite = check_id.partition(":")[0]
        if suite in self._library.suites:
            narrowed = replace(self.options, only=(), rerun=frozenset({check_id}))
            plan = plan_of_suites((suite,), narrowed, self.homes((suite,))[suite])
            found = next((check for check in plan.checks if check.id == check_id), None)
            if found is not None:
                return found, plan.secrets
        known = [check.id for check in self.checks]
        raise ConfigError(f'unknown check "{check_id}"', hint=did_you_mean(check_id, known))

    def homes(self, suites: Iterable[str]) -> dict[str, str]:
        """The profile under which each suite is verified: targets and vars of a stack are only known to a profile.

        For a suite of the user's own it is the first profile of the user's own that runs it, for all others the base.
        """
        own = [one for one in self.profiles if _is_own(self._library.profiles[one.name])]

        def home(name: str) -> str:
            found = self._library.suites.get(name)
            if found is None or not _is_own(found):
                return BASE
            return next((one.name for one in own if any(fnmatchcase(name, glob) for glob in one.suites)), BASE)

        return {name: home(name) for name in suites}

    def _profile(self, found: Found) -> ProfileSummary:
        raw = self._mapping(found)
        return ProfileSummary(
            found.name, _text(raw, "title"), found.shown, found.bundled, _texts(raw, "extends"), _texts(raw, "suites")
        )

    def _suite(self, found: Found) -> SuiteSummary:
        raw = self._mapping(found)
        defaults = raw.get("defaults")
        shared = defaults if isinstance(defaults, dict) else {}
        checks = raw.get("checks")
        covers = (*_texts(raw, "covers"), *_texts(shared, "covers"))
        source = self._library.read(found)
        summaries = tuple(
            CheckSummary(
                id=f"{found.name}:{_text(item, 'id')}",
                title=_text(item, "title"),
                category=found.name.partition("/")[0],
                kind=_text(item, "kind"),
                target=_text(item, "target") or _text(shared, "target") or None,
                tags=(*_texts(shared, "tags"), *_texts(item, "tags")),
                covers=(*covers, *_texts(item, "covers")),
                fix=_text(item, "fix") or _text(shared, "fix") or None,
                file=found.shown,
                line=source.line_of("checks", index) if source else 1,
            )
            for index, item in enumerate(checks if isinstance(checks, list) else ())
            if isinstance(item, dict)
        )
        return SuiteSummary(found.name, _text(raw, "title"), found.shown, found.bundled, covers, summaries)

    def _mapping(self, found: Found) -> dict[str, JsonValue]:
        source = self._library.read(found)
        if source is None:
            return {}
        if not isinstance(source.value, dict):
            self._problems.at(Where(source), "a profile or a suite is a mapping with a title")
            return {}
        return source.value


def _is_own(found: Found) -> bool:
    """Whether a file is the user's; in a checkout, the bundled ones are found in the current directory, too."""
    return not found.path.is_relative_to(bundled_root())


def catalogue(options: LoadOptions = _NO_OPTIONS) -> Catalogue:
    """Everything that can be run with these options."""
    return Catalogue(options)


def suites_of(library: Library) -> Iterator[Found]:
    """The files within reach that hold checks, or should: not those of vars, which lie among them."""
    return (found for found in library.suites.values() if not library.holds_vars(found))


@dataclass(frozen=True, slots=True)
class Linted:
    """What was verified and has no mistakes."""

    profiles: int
    suites: int
    checks: int


def lint(paths: tuple[str, ...] = (), options: LoadOptions = _NO_OPTIONS) -> Linted:
    """Verify profiles and suites, by name or path; without any, all that are within reach. Raises `Mistakes`."""
    problems = Problems()
    library = Library(options, problems)
    if paths:
        profiles, suites, roots = _sorted(paths, library, problems)
        options = replace(options, paths=(*roots, *options.paths))
    else:
        profiles, suites = list(library.profiles), [one.name for one in suites_of(library)]
    checks: set[str] = set()
    for verified in _linted(profiles, suites, options, problems):
        checks |= verified
    problems.raise_if_any()
    return Linted(len(profiles), len({check.partition(":")[0] for check in checks}), len(checks))


def _linted(profiles: list[str], suites: list[str], options: LoadOptions, problems: Problems) -> Iterator[set[str]]:
    for name in profiles:
        try:
            yield {check.id for check in load_plan((name,), options).checks}
        except Mistakes as found:
            problems.extend(found.problems)
    if not suites:
        return
    try:
        homes = Catalogue(options).homes(suites)
    except Mistakes as found:
        # A profile that is no YAML tells no suite's home.
        problems.extend(found.problems)
        homes = dict.fromkeys(suites, BASE)
    for home in dict.fromkeys(homes.values()):
        try:
            plan = plan_of_suites(tuple(name for name in suites if homes[name] == home), options, home)
            # What they need of other suites is in the plan, too.
            yield {check.id for check in plan.checks if check.id.partition(":")[0] in suites}
        except Mistakes as found:
            problems.extend(found.problems)


def _sorted(
    paths: tuple[str, ...], library: Library, problems: Problems
) -> tuple[list[str], list[str], tuple[Path, ...]]:
    """Which of the names are profiles and which suites, and where to look for the suites that were named by path.

    A path is a suite where the file has `checks`; it lies at `checks/<category>/<suite>.yaml`, which names it.
    """
    profiles: list[str] = []
    suites: list[str] = []
    roots: dict[Path, None] = {}
    for name in paths:
        if not name.endswith((".yaml", ".yml")):
            (suites if name in library.suites else profiles).append(name)
            continue
        found = library.profile(name)
        source = library.read(found) if found else None
        if found is None or source is None:
            continue
        if found.path.parent.parent.name == "checks" and library.holds_vars(found):
            read_vars(source, problems)
        elif not (isinstance(source.value, dict) and "checks" in source.value):
            profiles.append(name)
        elif found.path.parent.parent.name == "checks":
            suites.append(f"{found.path.parent.name}/{found.path.stem}")
            root = found.path.parents[2]
            # The current directory is searched anyway; as a given one, a handover in it would pass for a profile.
            if root.resolve() != library.options.cwd.resolve():
                roots[root] = None
        else:
            problems.plain(f"{name} is not at checks/<category>/<suite>.yaml", "its folder is its category")
    return profiles, suites, tuple(roots)


def plan_of_suites(suites: tuple[str, ...], options: LoadOptions, home: str = BASE) -> Plan:
    """The plan of some suites under a profile, as if one that extends it had been written for them."""
    problems = Problems()
    library = Library(options, problems)
    base = {"extends": home} if home in library.profiles else {}
    text = json.dumps({"title": ", ".join(suites), "suites": list(suites), **base})
    source, mistakes = parse_source(text.encode(), "the suites")
    problems.extend(mistakes)
    with collector_paused():
        chain = Chain(library, problems)
        if source is not None:
            chain.add_raw("suites", source)
            chain.leave_out(("suites", "thresholds", "criteria"), but_of="suites")
        return Loader(options, library, chain, problems).plan(("suites",))


def _text(raw: object, name: str) -> str:
    value = raw.get(name) if isinstance(raw, dict) else None
    return value if isinstance(value, str) else ""


def _texts(raw: object, name: str) -> tuple[str, ...]:
    value = raw.get(name) if isinstance(raw, dict) else None
    if isinstance(value, str):
        return (value,)
    return tuple(str(item) for item in value) if isinstance(value, list) else ()
