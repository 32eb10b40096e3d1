"""What a shell offers for a word that is half typed; it says nothing of its own, whatever is wrong with the files."""

from __future__ import annotations

from collections.abc import Iterable

from xnai_validate.errors import XnaiError


def profiles(incomplete: str) -> list[str]:
    """The profiles within reach that begin so."""
    return _beginning(incomplete, _profiles())


def lists(incomplete: str) -> list[str]:
    """What `list` takes."""
    words = ("profiles", "suites", "checks", "kinds", "faults", "runs", "baselines")
    return _beginning(incomplete, [*words, *_profiles()])


def names(incomplete: str) -> list[str]:
    """What `explain` takes: kinds, families, faults, and checks."""
    from xnai_validate import registry
    from xnai_validate.config.catalogue import catalogue

    kinds = registry.CHECKERS.names()
    families = dict.fromkeys(kind.partition(".")[0] for kind in kinds)
    try:
        checks = [check.id for check in catalogue().checks]
    except XnaiError:
        checks = []
    return _beginning(incomplete, [*families, *kinds, *registry.FAULTS.names(), *checks])


def _profiles() -> list[str]:
    from xnai_validate.config.catalogue import catalogue

    try:
        return [one.name for one in catalogue().profiles]
    except XnaiError:
        return []


def _beginning(incomplete: str, words: Iterable[str]) -> list[str]:
    return [word for word in words if word.startswith(incomplete)]
