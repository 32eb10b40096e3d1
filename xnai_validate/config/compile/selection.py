"""Which checks of a profile are run: filters, what the selected need, and no circles."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from fnmatch import translate

from xnai_validate.config.options import LoadOptions
from xnai_validate.config.yaml_files.problems import Problems
from xnai_validate.model.suggestions import did_you_mean
from xnai_validate.plan import PlannedCheck


def is_narrowed(options: LoadOptions) -> bool:
    """Whether the command line selects less than the profile."""
    return bool(options.only or options.tags or options.skip_tags or options.rerun is not None)


def select(checks: Iterable[PlannedCheck], options: LoadOptions, problems: Problems) -> tuple[PlannedCheck, ...]:
    """The checks that the filters leave, in their order; a filter that matches nothing is noted as a mistake."""
    found = tuple(checks)
    tags = {tag for check in found for tag in check.info.tags}
    for tag in sorted((options.tags | options.skip_tags) - tags):
        problems.plain(f'no check has the tag "{tag}"', did_you_mean(tag, tags))
    globs = [_matcher(glob) for glob in options.only]
    for glob, matches in zip(options.only, globs, strict=True):
        if not any(matches(check.id) for check in found):
            problems.plain(f'--only "{glob}" matches no check', did_you_mean(glob, [check.id for check in found]))
    return tuple(
        check
        for check in found
        if (not globs or any(matches(check.id) for matches in globs))
        and (not options.tags or options.tags & set(check.info.tags))
        and not (options.skip_tags & set(check.info.tags))
        and (options.rerun is None or check.id in options.rerun)
    )


def _matcher(glob: str) -> Callable[[str], bool]:
    """Of a glob on full ids; one without a colon also matches whole suites and categories."""
    full = re.compile(translate(glob)).match
    if ":" in glob:
        return lambda name: full(name) is not None
    return lambda name: any(full(text) for text in (name, name.partition(":")[0], name.partition("/")[0]))


def closure(roots: Iterable[PlannedCheck], known: Mapping[str, PlannedCheck]) -> tuple[PlannedCheck, ...]:
    """The roots and all that they need, directly or not: what was added first, then the roots in their order."""
    chosen = {check.id: check for check in roots}
    added: dict[str, PlannedCheck] = {}
    open_ = [need for check in chosen.values() for need in check.needs]
    while open_:
        need = open_.pop()
        check = known.get(need)
        if check is not None and need not in chosen and need not in added:
            added[need] = check
            open_ += check.needs
    return (*(check for check in known.values() if check.id in added), *chosen.values())


def circle(checks: Iterable[PlannedCheck]) -> list[str] | None:
    """A circle of needs, as the path of ids from a check back to itself; None where there is none."""
    needs = {check.id: check.needs for check in checks}
    done: set[str] = set()
    for start in needs:
        if start in done:
            continue
        path: dict[str, None] = {start: None}
        iterators: list[Iterator[str]] = [iter(needs[start])]
        while iterators:
            step = next(iterators[-1], None)
            if step is None:
                iterators.pop()
                done.add(path.popitem()[0])
            elif step in path:
                ids = list(path)
                return [*ids[ids.index(step) :], step]
            elif step in needs and step not in done:
                path[step] = None
                iterators.append(iter(needs[step]))
    return None
