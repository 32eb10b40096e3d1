"""The registry: kind -> checker and name -> fault, each imported only when it is asked for.

Kinds and faults register in the same way, by file name: `redis.ping` is `checkers/redis/ping.py`, `redis.pause` is
`faults/redis/pause.py`. Modules and folders whose name begins with an underscore hold code that several share. Other
packages add families through the entry point groups `xnai_validate.checkers` and `xnai_validate.faults`; an entry
point names a package that is laid out in the same way, or a single module that declares everything.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Iterable, Iterator
from importlib.metadata import EntryPoint, entry_points
from types import ModuleType
from typing import Generic, TypeVar

from xnai_validate import checkers
from xnai_validate import faults as faults_package
from xnai_validate.errors import RegistryError
from xnai_validate.kit import FAULT_MARK, MARK, Checker, Fault
from xnai_validate.model.suggestions import did_you_mean

Entry = TypeVar("Entry", Checker, Fault)


class Registry(Generic[Entry]):
    """The families of one package and of its entry point group, with what each declares.

    Args:
        package: the package whose inner packages are the bundled families.
        noun: what an entry is called in error messages, "kind of check" or "fault".
        mark: the attribute that the decorator sets on what it declares.
        entry_type: the type of the value of that attribute.
    """

    def __init__(self, package: ModuleType, noun: str, mark: str, entry_type: type[Entry]) -> None:
        self.package = package
        self.group = package.__name__
        self._noun = noun
        self._mark = mark
        self._entry_type: type[Entry] = entry_type
        self._families: dict[str, str] | None = None
        self._loaded: dict[str, Entry] = {}

    def families(self) -> dict[str, str]:
        """Family -> module path, sorted by name. Raises RegistryError if two packages provide the same family."""
        if self._families is None:
            self._families = self._find_families()
        return self._families

    def names(self, family: str | None = None) -> tuple[str, ...]:
        """Return the full names of one family, or of all families, sorted.

        A bundled family is read from its file names; nothing of it is imported.
        """
        if family is None:
            return tuple(name for each in self.families() for name in self.names(each))
        package = self._import(self._module_of(family), family)
        if hasattr(package, "__path__"):
            return tuple(sorted(f"{family}.{stem}" for stem in _public_modules(package)))
        return tuple(sorted(entry.name for entry in self._declared_in(package, family)))

    def load(self, family: str) -> dict[str, Entry]:
        """Name -> entry of one family, sorted by name; imports all its modules."""
        return {name: self.get(name) for name in self.names(family)}

    def get(self, name: str) -> Entry:
        """Return the entry `family.name`; raises RegistryError with the nearest name if it does not exist."""
        if name not in self._loaded:
            family = name.partition(".")[0]
            if family not in self.families() or name not in self.names(family):
                raise RegistryError(f'unknown {self._noun} "{name}"', hint=self._near(name, family))
            self._loaded[name] = self._load_entry(family, name)
        return self._loaded[name]

    def _near(self, name: str, family: str) -> str:
        """The nearest names of an unknown one; else those of its family, or of all families."""
        if family in self.families():
            names = self.names(family)
            return did_you_mean(name, names) or f"known: {', '.join(names)}"
        return did_you_mean(name, self.names()) or f"known families: {', '.join(sorted(self.families()))}"

    def family_doc(self, family: str) -> str:
        """Return the docstring of the family's module, which describes all of its entries."""
        return inspect.getdoc(self._import(self._module_of(family), family)) or ""

    def forget(self) -> None:
        """Drop everything cached, so that entry points are read again."""
        self._families = None
        self._loaded.clear()

    def entry_points(self) -> Iterable[EntryPoint]:
        """The entry points of the group, of all installed distributions."""
        return entry_points(group=self.group)

    def _find_families(self) -> dict[str, str]:
        """Return family -> module path, of the package and of the entry points. Raises RegistryError for a clash."""
        modules = {name: f"{self.package.__name__}.{name}" for name in _public_modules(self.package)}
        for point in self.entry_points():
            other = modules.setdefault(point.name, point.value)
            if other != point.value:
                raise RegistryError(
                    f'the family "{point.name}" of {self.group} is provided twice: by {other} and by {point.value}',
                    hint="uninstall one of the two packages",
                )
        return dict(sorted(modules.items()))

    def _module_of(self, family: str) -> str:
        """Return the module path of a family. Raises RegistryError with the nearest name if it is unknown."""
        try:
            return self.families()[family]
        except KeyError:
            hint = did_you_mean(family, self.families())
            raise RegistryError(f'unknown family "{family}" of {self.group}', hint=hint) from None

    def _load_entry(self, family: str, name: str) -> Entry:
        """Import the module of one entry and return what it declares. Raises RegistryError if it declares another."""
        module = self._import(self._module_of(family), family)
        if hasattr(module, "__path__"):
            module = self._import(f"{module.__name__}.{name.partition('.')[2]}", family)
        entries = {entry.name: entry for entry in self._declared_in(module, family)}
        if name not in entries:
            declared = ", ".join(entries) or "nothing"
            raise RegistryError(f"{module.__name__} declares {declared}; by its place it must declare {name}")
        return entries[name]

    def _declared_in(self, module: ModuleType, family: str) -> Iterator[Entry]:
        """Each entry once that the module itself declares, not those that it imports."""
        seen: set[str] = set()
        for value in vars(module).values():
            entry = getattr(value, self._mark, None)
            if not isinstance(entry, self._entry_type) or value.__module__ != module.__name__ or entry.name in seen:
                continue
            if entry.family != family:
                raise RegistryError(f"{module.__name__} declares {entry.name}, which is not of its family {family}")
            seen.add(entry.name)
            yield entry

    def _import(self, module: str, family: str) -> ModuleType:
        """Import a module of a family. Raises RegistryError instead of ImportError."""
        try:
            return importlib.import_module(module)
        except ImportError as error:
            raise RegistryError(f'the family "{family}" of {self.group} cannot be loaded: {error}') from error


def _public_modules(package: ModuleType) -> Iterator[str]:
    """Yield the names of the modules of a package that do not begin with an underscore."""
    return (module.name for module in pkgutil.iter_modules(package.__path__) if not module.name.startswith("_"))


CHECKERS = Registry(checkers, "kind of check", MARK, Checker)
"""The kinds of checks."""
FAULTS = Registry(faults_package, "fault", FAULT_MARK, Fault)
"""The faults."""
