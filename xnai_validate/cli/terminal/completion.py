"""Shell completion of arguments. Errors in files are ignored here: completion must not print anything.

The names of profiles are those of their files: nothing is read for them, since a person waits for each completion.
"""

from __future__ import annotations

from collections.abc import Iterable

from xnai_validate.config.search_path import profile_names
from xnai_validate.errors import XnaiError

LISTS = ("profiles", "suites", "recipes", "checks", "promises", "kinds", "faults", "runs", "baselines")
"""The lists that `list` prints."""


def profiles(incomplete: str) -> list[str]:
    """Return the names of profiles that begin with `incomplete`."""
    return _starting_with(incomplete, profile_names())


def lists(incomplete: str) -> list[str]:
    """Return the arguments of `list` that begin with `incomplete`."""
    return _starting_with(incomplete, [*LISTS, *profile_names()])


def explainable_names(incomplete: str) -> list[str]:
    """Return the arguments of `explain` that begin with `incomplete`: kinds, families, faults and checks."""
    from xnai_validate import registry
    from xnai_validate.config.catalogue import catalogue

    kinds = registry.CHECKERS.names()
    families = dict.fromkeys(kind.partition(".")[0] for kind in kinds)
    try:
        checks = [check.id for check in catalogue().checks]
    except XnaiError:
        checks = []
    return _starting_with(incomplete, [*families, *kinds, *registry.FAULTS.names(), *checks])


def _starting_with(incomplete: str, words: Iterable[str]) -> list[str]:
    """Return the words that begin with what has been typed."""
    return [word for word in words if word.startswith(incomplete)]
