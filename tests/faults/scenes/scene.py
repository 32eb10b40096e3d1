"""Where a fault is tried: something real to disturb, and a way to look at it that does not ask the fault.

The scenes of a family are in `tests/faults/scenes_<family>.py`, as `SCENES`: name of the fault -> scene.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass

from xnai_validate import registry
from xnai_validate.kit import JsonObject, Target


@dataclass(frozen=True, slots=True)
class Scene:
    """Something to disturb."""

    target: Target | None
    params: JsonObject
    seen: Callable[[], object]
    """What is visible from outside: equal before and after, and different while the fault is active."""
    once: bool = False
    """Whether the fault is over as soon as it was injected."""


Staged = Callable[[], AbstractContextManager[Scene]]


def scene_of(name: str) -> Staged:
    """The scene of a fault; every fault has one."""
    module = importlib.import_module(f"tests.faults.scenes.{name.partition('.')[0]}")
    scenes: dict[str, Staged] = module.SCENES
    return scenes[name]


NAMES = registry.FAULTS.names()
