"""The catalogue of defects: every `Defect` in a module of a topic, found by walking the packages of this folder."""

from __future__ import annotations

import difflib
import importlib
import pkgutil
from collections.abc import Iterable
from types import ModuleType

from xnai_validate.demo.defects.defect import Defect
from xnai_validate.demo.seams import AnyFunction
from xnai_validate.demo.settings import Layout


class UnknownDefect(ValueError):
    """A name that no defect has, or that only exists in the other layout."""


def defects_of(topic: ModuleType) -> tuple[Defect, ...]:
    """The defects in the modules of a package: those that are attributes, and those in tuples that are attributes."""
    found: dict[int, Defect] = {}
    for entry in pkgutil.iter_modules(topic.__path__, f"{topic.__name__}."):
        for value in vars(importlib.import_module(entry.name)).values():
            for defect in value if isinstance(value, tuple) else (value,):
                if isinstance(defect, Defect):
                    found[id(defect)] = defect
    return tuple(found.values())


def by_name(defects: Iterable[Defect]) -> dict[str, Defect]:
    """The defects by name. Raises ValueError for a name that two of them have."""
    catalogue: dict[str, Defect] = {}
    for defect in defects:
        if defect.name in catalogue:
            raise ValueError(f"two defects are named {defect.name}")
        catalogue[defect.name] = defect
    return catalogue


def topics() -> dict[str, tuple[Defect, ...]]:
    """Every topic, a package in this folder, with its defects."""
    folder = importlib.import_module(__package__)
    found = [entry for entry in pkgutil.iter_modules(folder.__path__) if entry.ispkg]
    return {entry.name: defects_of(importlib.import_module(f"{__package__}.{entry.name}")) for entry in found}


TOPICS = topics()
"""Topic -> its defects."""
CATALOGUE: dict[str, Defect] = by_name(defect for defects in TOPICS.values() for defect in defects)
"""Defect name -> defect."""


def chosen(names: Iterable[str], layout: Layout) -> frozenset[str]:
    """Return the names as a set. Raises UnknownDefect, with the nearest name or the layout that has the defect."""
    chosen_names = frozenset(names)
    for name in sorted(chosen_names):
        if name not in CATALOGUE:
            near = difflib.get_close_matches(name, CATALOGUE, n=1)
            hint = f"; did you mean {near[0]}?" if near else f"; there are {len(CATALOGUE)}, none is similar"
            raise UnknownDefect(f"unknown defect {name}{hint}")
        if CATALOGUE[name].layout not in (None, layout):
            raise UnknownDefect(f"defect {name} exists only in layout {CATALOGUE[name].layout}")
    return chosen_names


def wrappers_of(names: Iterable[str]) -> list[tuple[AnyFunction, AnyFunction]]:
    """The seams that the named defects wrap, each with its wrapper, in the order of the catalogue."""
    active = frozenset(names)
    return [pair for name, defect in CATALOGUE.items() if name in active for pair in defect.wrappers]
