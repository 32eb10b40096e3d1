"""Kind -> checker and name -> fault, imported only when they are asked for."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Iterable
from functools import cache
from types import ModuleType
from typing import TYPE_CHECKING, TypeVar

from xnai_validate import checkers
from xnai_validate import faults as faults_package
from xnai_validate.errors import RegistryError
from xnai_validate.kit import FAULT_MARK, MARK, Checker, Fault
from xnai_validate.model.nearest import did_you_mean
from xnai_validate.model.packages import anything_installed_names

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

GROUP = "xnai_validate.checkers"
FAULT_GROUP = "xnai_validate.faults"
KINDS = "KINDS"
"""What a package of checkers names its kinds in: each is in the module of its name, `http.request` in `request`."""


@cache
def families() -> dict[str, str]:
    """Family -> the module that provides it: the bundled ones, and those of the entry points `xnai_validate.checkers`.

    Raises RegistryError where a family is provided twice; the message names both.
    """
    return _families(checkers, _entry_points(), "checkers")


@cache
def fault_families() -> dict[str, str]:
    """The same of faults: the bundled ones, and those of the entry points `xnai_validate.faults`."""
    return _families(faults_package, _fault_entry_points(), "faults")


def _entry_points() -> tuple[EntryPoint, ...]:
    return _of_group(GROUP)


def _fault_entry_points() -> tuple[EntryPoint, ...]:
    return _of_group(FAULT_GROUP)


def _of_group(group: str) -> tuple[EntryPoint, ...]:
    if not anything_installed_names(group):
        return ()
    from importlib.metadata import entry_points

    return tuple(entry_points(group=group))


def _families(package: ModuleType, entries: Iterable[EntryPoint], what: str) -> dict[str, str]:
    found = {
        module.name: f"{package.__name__}.{module.name}"
        for module in pkgutil.iter_modules(package.__path__)
        if not module.name.startswith("_")
    }
    for entry in entries:
        other = found.get(entry.name)
        if other is not None and other != entry.value:
            raise RegistryError(
                f'the family of {what} "{entry.name}" is provided twice: by {other} and by {entry.value}',
                hint="uninstall one of the two packages",
            )
        found[entry.name] = entry.value
    return dict(sorted(found.items()))


@cache
def load(family: str) -> dict[str, Checker]:
    """Kind -> Checker of one family; imports its module, or its package with the modules of its kinds.

    Raises RegistryError for an unknown family, a module that cannot be imported, or a kind outside its family.
    """
    package = _module(family, families(), "checkers")
    own = [_kind_module(package, family, name) for name in getattr(package, KINDS, ())]
    found = [one for module in own or [package] for one in _checkers_of(module)]
    return _named(package, family, [(one.kind, one) for one in found])


@cache
def _one_of(package: ModuleType, family: str, name: str) -> Checker | None:
    """A kind of a package that says which it has: they are in modules of their names, and no other is imported."""
    if name not in getattr(package, KINDS, ()):
        return None
    module = _kind_module(package, family, name)
    return _named(module, family, [(one.kind, one) for one in _checkers_of(module)]).get(f"{family}.{name}")


def _checkers_of(module: ModuleType) -> list[Checker]:
    return [one for one in _marked(module, MARK) if isinstance(one, Checker)]


def _kind_module(package: ModuleType, family: str, name: str) -> ModuleType:
    return _imported(f"{package.__name__}.{name}", family, "checkers")


@cache
def load_faults(family: str) -> dict[str, Fault]:
    """Name -> Fault of one family, as `load` does."""
    module = _module(family, fault_families(), "faults")
    found = [one for one in _marked(module, FAULT_MARK) if isinstance(one, Fault)]
    return _named(module, family, [(one.name, one) for one in found])


def _module(family: str, known: dict[str, str], what: str) -> ModuleType:
    name = known.get(family)
    if name is None:
        raise RegistryError(f'unknown family of {what} "{family}"', hint=did_you_mean(family, known))
    return _imported(name, family, what)


def _imported(name: str, family: str, what: str) -> ModuleType:
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise RegistryError(f'the {what} "{family}" cannot be loaded: {error}') from error


def _marked(module: ModuleType, mark: str) -> list[object]:
    return [getattr(value, mark, None) for value in vars(module).values()]


T = TypeVar("T")


def _named(module: ModuleType, family: str, declared: Iterable[tuple[str, T]]) -> dict[str, T]:
    found: dict[str, T] = {}
    for name, one in declared:
        if name.partition(".")[0] != family:
            raise RegistryError(f"{module.__name__} declares {name}, which is not of its family {family}")
        if name in found and found[name] is not one:
            raise RegistryError(f"{module.__name__} declares {name} twice")
        found[name] = one
    return dict(sorted(found.items()))


def family_doc(family: str) -> str:
    """What the documentation of a family says of all its kinds."""
    return inspect.getdoc(importlib.import_module(families()[family])) or ""


def get(kind: str) -> Checker:
    """The checker of a kind; raises RegistryError with the nearest known kind where there is none."""
    family, _, name = kind.partition(".")
    if family in families():
        found = _one_of(_module(family, families(), "checkers"), family, name) or load(family).get(kind)
        if found is not None:
            return found
        raise RegistryError(f'unknown kind of check "{kind}"', hint=did_you_mean(kind, load(family)))
    raise RegistryError(f'unknown kind of check "{kind}"', hint=did_you_mean(kind, kinds()))


def get_fault(name: str) -> Fault:
    """The fault of a name; raises RegistryError with the nearest known name where there is none."""
    family = name.partition(".")[0]
    found = load_faults(family).get(name) if family in fault_families() else None
    if found is None:
        raise RegistryError(f'unknown fault "{name}"', hint=did_you_mean(name, faults()))
    return found


def kinds() -> tuple[str, ...]:
    """All kinds, in order; imports every family."""
    return tuple(kind for family in families() for kind in load(family))


def faults() -> tuple[str, ...]:
    """All faults, in order; imports every family."""
    return tuple(name for family in fault_families() for name in load_faults(family))
