"""`lint`: validate profiles and suites without running anything."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from xnai_validate.config.catalogue import BASE, Catalogue, suites_of
from xnai_validate.config.compile.load import load_plan, plan_of_recipes, plan_of_suites
from xnai_validate.config.compile.selection.waivers import Pattern, Waivers, read_waivers, waivers_of
from xnai_validate.config.files.vars_file import read_vars
from xnai_validate.config.locate import RECIPES, Library
from xnai_validate.config.options import LoadOptions
from xnai_validate.config.yaml_files.document import SourceCache
from xnai_validate.config.yaml_files.problems import Problems
from xnai_validate.durations import deadline_conflicts, time_conflicts
from xnai_validate.model.source_location import InvalidConfig, Problem, SourceLocation
from xnai_validate.plan import Plan

_NO_OPTIONS = LoadOptions()


@dataclass(frozen=True, slots=True)
class Linted:
    """How much was validated, without errors."""

    profiles: int
    suites: int
    checks: int
    notices: tuple[str, ...] = ()
    """A sentence for each waiver that has expired or matches no check, and about variables that are not set."""


def lint(paths: tuple[str, ...] = (), options: LoadOptions = _NO_OPTIONS) -> Linted:
    """Validate profiles and suites, by name or path; by default all within reach. Raises `InvalidConfig`."""
    problems = Problems()
    cache = SourceCache()
    library = Library(options, problems, cache)
    folders, patterns = [file.path.parent for file in library.profiles.values()], []
    if paths:
        named = _sort_names(paths, library, problems)
        profiles, suites, recipes = named.profiles, named.suites, named.recipes
        options = replace(options, paths=(*named.roots, *options.paths))
        folders, patterns = named.folders, named.waivers
    else:
        profiles, suites = list(library.profiles), [file.name for file in suites_of(library)]
        recipes = list(library.recipes)
    checks: set[str] = set()
    unset: set[str] = set()
    for verified in _lint_all(profiles, suites, options, problems, cache, unset):
        checks |= verified
    if recipes:
        try:
            checks |= {check.id for check in plan_of_recipes(tuple(recipes), options, cache).checks}
        except InvalidConfig as errors:
            problems.extend(errors.problems)
    waivers = Waivers([*patterns, *read_waivers(library, problems, folders)])
    problems.raise_if_any()
    notices = dict.fromkeys((*waivers.expired(), *waivers.unmatched(checks, library)))
    if unset:
        notices[f"not set in the environment, and needed by a run: {', '.join(sorted(unset))}"] = None
    return Linted(len(profiles), len({check.partition(":")[0] for check in checks}), len(checks), tuple(notices))


def _lint_all(
    profiles: list[str],
    suites: list[str],
    options: LoadOptions,
    problems: Problems,
    cache: SourceCache,
    unset: set[str],
) -> Iterator[set[str]]:
    """Yield the ids of the checks of each profile, and of the suites that no profile runs whole; errors are noted.

    The variables that a run needs and that are not set are added to `unset`.
    """
    # Consent changes nothing of what is wrong; with it, the expected duration is that of all checks.
    options = replace(options, allow=options.allow | {"disruptive"})
    verified: set[str] = set()
    for name in profiles:
        try:
            plan = load_plan((name,), options, cache)
            _note_time_conflicts(plan, problems)
            if plan.limits.deadline_is_given:
                for text in deadline_conflicts(plan.checks, plan.limits):
                    problems.plain(f"{name}: {text}")
            verified |= {check.id for check in plan.checks}
            unset |= set(plan.unset)
        except InvalidConfig as errors:
            problems.extend(errors.problems)
    yield verified
    if not suites:
        return
    known = Catalogue(options, cache)
    try:
        ids = {suite.name: {check.id for check in suite.checks} for suite in known.suites}
        suites = [name for name in suites if not (ids.get(name) and ids[name] <= verified)]
        homes = known.homes(suites)
    except InvalidConfig as errors:
        # A profile that is not YAML has no suites.
        problems.extend(errors.problems)
        homes = dict.fromkeys(suites, BASE)
    for home in dict.fromkeys(homes.values()):
        try:
            plan = plan_of_suites(tuple(name for name in suites if homes[name] == home), options, home, cache)
            _note_time_conflicts(plan, problems)
            unset |= set(plan.unset)
            # The plan also holds the checks of other suites that they need.
            yield {check.id for check in plan.checks if check.id.partition(":")[0] in suites}
        except InvalidConfig as errors:
            problems.extend(errors.problems)


def _note_time_conflicts(plan: Plan, problems: Problems) -> None:
    """Note an error for each time of a check that does not fit its other times."""
    for check in plan.checks:
        place = SourceLocation(check.info.source.file, check.info.source.line)
        problems.extend(Problem(text, place) for text in time_conflicts(check))


@dataclass(slots=True)
class _Named:
    """What the names of a command line stand for."""

    profiles: list[str] = field(default_factory=list)
    suites: list[str] = field(default_factory=list)
    recipes: list[str] = field(default_factory=list)
    roots: dict[Path, None] = field(default_factory=dict)
    """Where the suites and recipes that were named by path are found."""
    folders: list[Path] = field(default_factory=list)
    """The folders of the profiles."""
    waivers: list[Pattern] = field(default_factory=list)
    """The waivers of the files of waivers."""


def _sort_names(paths: tuple[str, ...], library: Library, problems: Problems) -> _Named:
    """Sort names into profiles, suites and recipes; errors are noted.

    A file with `checks` is a suite; its place `checks/<category>/<suite>.yaml` is its name. A file with `waivers` is
    verified with its folder.
    """
    named = _Named()
    profiles, suites, roots = named.profiles, named.suites, named.roots
    for name in paths:
        if not name.endswith((".yaml", ".yml")):
            (suites if name in library.suites else profiles).append(name)
            if name in library.profiles:
                named.folders.append(library.profiles[name].path.parent)
            continue
        file = library.profile(name)
        source = library.read(file) if file else None
        if file is None or source is None:
            continue
        if isinstance(source.value, dict) and "waivers" in source.value:
            named.waivers += waivers_of(source, problems, long=library.options.long_waivers)
        elif file.path.parent.parent.name == "checks" and library.holds_vars(file):
            read_vars(source, problems)
        elif not (isinstance(source.value, dict) and "checks" in source.value):
            profiles.append(name)
            named.folders.append(file.path.parent)
        elif file.path.parent.parent.name == "checks":
            folder, own = file.path.parent.name, file.path.stem
            if folder == RECIPES:
                named.recipes.append(own)
            else:
                suites.append(f"{folder}/{own}")
            root = file.path.parents[2]
            # The current directory is searched anyway; as a given one, a stack file in it would count as a profile.
            if root.resolve() != library.options.cwd.resolve():
                roots[root] = None
        else:
            problems.plain(f"{name} is not at checks/<category>/<suite>.yaml", "its folder is its category")
    return named
