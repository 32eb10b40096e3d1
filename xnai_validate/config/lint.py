"""`lint`: validate profiles and suites without running anything."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from xnai_validate.config.catalogue import BASE, Catalogue, suites_of
from xnai_validate.config.compile.load import load_plan, plan_of_suites
from xnai_validate.config.files.vars_file import read_vars
from xnai_validate.config.locate import Library
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


def lint(paths: tuple[str, ...] = (), options: LoadOptions = _NO_OPTIONS) -> Linted:
    """Validate profiles and suites, by name or path; by default all within reach. Raises `InvalidConfig`."""
    problems = Problems()
    cache = SourceCache()
    library = Library(options, problems, cache)
    if paths:
        profiles, suites, roots = _sorted(paths, library, problems)
        options = replace(options, paths=(*roots, *options.paths))
    else:
        profiles, suites = list(library.profiles), [file.name for file in suites_of(library)]
    checks: set[str] = set()
    for verified in _linted(profiles, suites, options, problems, cache):
        checks |= verified
    problems.raise_if_any()
    return Linted(len(profiles), len({check.partition(":")[0] for check in checks}), len(checks))


def _linted(
    profiles: list[str], suites: list[str], options: LoadOptions, problems: Problems, cache: SourceCache
) -> Iterator[set[str]]:
    """The ids of the checks of each profile, and of the suites that no profile runs whole; errors are noted."""
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
            # The plan also holds the checks of other suites that they need.
            yield {check.id for check in plan.checks if check.id.partition(":")[0] in suites}
        except InvalidConfig as errors:
            problems.extend(errors.problems)


def _note_time_conflicts(plan: Plan, problems: Problems) -> None:
    """Note an error for each time of a check that does not fit its other times."""
    for check in plan.checks:
        place = SourceLocation(check.info.source.file, check.info.source.line)
        problems.extend(Problem(text, place) for text in time_conflicts(check))


def _sorted(
    paths: tuple[str, ...], library: Library, problems: Problems
) -> tuple[list[str], list[str], tuple[Path, ...]]:
    """The profiles and suites among the names, and the roots to search for the suites that were named by path.

    A file with `checks` is a suite; its place `checks/<category>/<suite>.yaml` is its name.
    """
    profiles: list[str] = []
    suites: list[str] = []
    roots: dict[Path, None] = {}
    for name in paths:
        if not name.endswith((".yaml", ".yml")):
            (suites if name in library.suites else profiles).append(name)
            continue
        file = library.profile(name)
        source = library.read(file) if file else None
        if file is None or source is None:
            continue
        if file.path.parent.parent.name == "checks" and library.holds_vars(file):
            read_vars(source, problems)
        elif not (isinstance(source.value, dict) and "checks" in source.value):
            profiles.append(name)
        elif file.path.parent.parent.name == "checks":
            suites.append(f"{file.path.parent.name}/{file.path.stem}")
            root = file.path.parents[2]
            # The current directory is searched anyway; as a given one, a stack file in it would count as a profile.
            if root.resolve() != library.options.cwd.resolve():
                roots[root] = None
        else:
            problems.plain(f"{name} is not at checks/<category>/<suite>.yaml", "its folder is its category")
    return profiles, suites, tuple(roots)
