"""Kind -> checker, imported only when it is asked for."""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from types import ModuleType

from xnai_validate import checkers
from xnai_validate.errors import RegistryError
from xnai_validate.kit import MARK, Checker
from xnai_validate.model.nearest import did_you_mean

GROUP = "xnai_validate.checkers"


@cache
def families() -> dict[str, str]:
    """Family -> the module that provides it: the bundled ones, and those of the entry points `xnai_validate.checkers`.

    Raises RegistryError where a family is provided twice; the message names both.
    """
    found = {
        module.name: f"{checkers.__name__}.{module.name}"
        for module in pkgutil.iter_modules(checkers.__path__)
        if not module.name.startswith("_")
    }
    for entry in _entry_points():
        other = found.get(entry.name)
        if other is not None and other != entry.value:
            raise RegistryError(
                f'the family of checkers "{entry.name}" is provided twice: by {other} and by {entry.value}',
                hint="uninstall one of the two packages",
            )
        found[entry.name] = entry.value
    return dict(sorted(found.items()))


def _entry_points() -> tuple[EntryPoint, ...]:
    return tuple(entry_points(group=GROUP))


@cache
def load(family: str) -> dict[str, Checker]:
    """Kind -> Checker of one family; imports its module and nothing else.

    Raises RegistryError for an unknown family, a module that cannot be imported, or a kind outside its family.
    """
    module_name = families().get(family)
    if module_name is None:
        raise RegistryError(f'unknown family of checkers "{family}"', hint=did_you_mean(family, families()))
    try:
        module = importlib.import_module(module_name)
    except ImportError as error:
        raise RegistryError(f'the checkers "{family}" cannot be loaded: {error}') from error
    return _declared(family, module)


def _declared(family: str, module: ModuleType) -> dict[str, Checker]:
    found: dict[str, Checker] = {}
    for value in vars(module).values():
        one = getattr(value, MARK, None)
        if not isinstance(one, Checker):
            continue
        if one.family != family:
            raise RegistryError(f"{module.__name__} declares {one.kind}, which is not of its family {family}")
        if one.kind in found and found[one.kind] is not one:
            raise RegistryError(f"{module.__name__} declares {one.kind} twice")
        found[one.kind] = one
    return dict(sorted(found.items()))


def get(kind: str) -> Checker:
    """The checker of a kind; raises RegistryError with the nearest known kind where there is none."""
    family = kind.partition(".")[0]
    if family in families():
        found = load(family).get(kind)
        if found is not None:
            return found
        raise RegistryError(f'unknown kind of check "{kind}"', hint=did_you_mean(kind, load(family)))
    raise RegistryError(f'unknown kind of check "{kind}"', hint=did_you_mean(kind, kinds()))


def kinds() -> tuple[str, ...]:
    """All kinds, in order; imports every family."""
    return tuple(kind for family in families() for kind in load(family))
