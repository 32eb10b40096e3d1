"""Which checks of a profile run: the filters of the command line, what the selected checks need, and no cycles."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from xnai_validate.config.compile.selection.id_globs import id_pattern
from xnai_validate.config.options import LoadOptions
from xnai_validate.config.yaml_files.problems import Problems
from xnai_validate.model.suggestions import did_you_mean


def is_narrowed(options: LoadOptions) -> bool:
    """Whether the command line selects less than the profile."""
    return bool(options.only or options.tags or options.skip_tags or options.rerun is not None)


def select(tags_of: Mapping[str, Iterable[str]], options: LoadOptions, problems: Problems) -> tuple[str, ...]:
    """The ids that pass the filters, in their order; a filter that matches nothing is an error.

    Args:
        tags_of: full id -> the tags of the check.
        options: the filters.
        problems: where errors are noted.
    """
    known = {tag for tags in tags_of.values() for tag in tags}
    for tag in sorted((options.tags | options.skip_tags) - known):
        problems.plain(f'no check has the tag "{tag}"', did_you_mean(tag, known))
    globs = [_matcher(glob) for glob in options.only]
    for glob, matches in zip(options.only, globs, strict=True):
        if not any(matches(check_id) for check_id in tags_of):
            problems.plain(f'--only "{glob}" matches no check', did_you_mean(glob, list(tags_of)))
    return tuple(
        check_id
        for check_id, tags in tags_of.items()
        if (not globs or any(matches(check_id) for matches in globs))
        and (not options.tags or not options.tags.isdisjoint(tags))
        and options.skip_tags.isdisjoint(tags)
        and (options.rerun is None or check_id in options.rerun)
    )


def matcher_of(globs: Iterable[str]) -> Callable[[str], bool]:
    """Return a function that returns whether one of the globs of --only matches a full id."""
    matches = [_matcher(glob) for glob in globs]
    return lambda check_id: any(match(check_id) for match in matches)


def _matcher(glob: str) -> Callable[[str], bool]:
    """The test of a glob on full ids; one without a colon also matches whole suites and categories."""
    full = id_pattern(glob).match
    if ":" in glob:
        return lambda name: full(name) is not None
    return lambda name: any(full(text) for text in (name, name.partition(":")[0], name.partition("/")[0]))


def add_needed_ids(selected: Iterable[str], needs: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
    """Return the selected ids, preceded by the ids of all checks that they need, directly or not.

    Args:
        selected: full ids.
        needs: full id -> the ids that it needs, of all checks in order.
    """
    chosen = dict.fromkeys(selected)
    added: set[str] = set()
    pending = [need for check_id in chosen for need in needs[check_id]]
    while pending:
        need = pending.pop()
        if need in needs and need not in chosen and need not in added:
            added.add(need)
            pending += needs[need]
    return (*(check_id for check_id in needs if check_id in added), *chosen)


def cycle(needs: Mapping[str, Sequence[str]]) -> list[str] | None:
    """A cycle of needs, as the path of ids from a check back to itself; None if there is no cycle."""
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
