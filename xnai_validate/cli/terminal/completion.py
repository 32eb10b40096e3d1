"""Shell completion of arguments. Errors in profiles and suites are ignored here: completion must not print anything."""

from __future__ import annotations

from collections.abc import Iterable

from xnai_validate import registry
from xnai_validate.config.catalogue import catalogue
from xnai_validate.errors import XnaiError

LISTS = ("profiles", "suites", "checks", "promises", "kinds", "faults", "runs", "baselines")
"""The lists that `list` prints."""


def profiles(incomplete: str) -> list[str]:
    """Return the names of profiles that begin with `incomplete`."""
    return _starting_with(incomplete, _profile_names())


def lists(incomplete: str) -> list[str]:
    """Return the arguments of `list` that begin with `incomplete`."""
    return _starting_with(incomplete, [*LISTS, *_profile_names()])


def explainable_names(incomplete: str) -> list[str]:
    """Return the arguments of `explain` that begin with `incomplete`: kinds, families, faults and checks."""
    kinds = registry.CHECKERS.names()
    families = dict.fromkeys(kind.partition(".")[0] for kind in kinds)
    try:
        checks = [check.id for check in catalogue().checks]
    except XnaiError:
        checks = []
    return _starting_with(incomplete, [*families, *kinds, *registry.FAULTS.names(), *checks])


def _profile_names() -> list[str]:
    try:
        return [profile.name for profile in catalogue().profiles]
    except XnaiError:
        return []


def _starting_with(incomplete: str, words: Iterable[str]) -> list[str]:
    return [word for word in words if word.startswith(incomplete)]
