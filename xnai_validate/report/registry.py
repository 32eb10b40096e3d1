"""The registry of report formats: by name, and by the extension of a file.

A format registers by its file name: `junit` is `report/formats/junit.py`, which declares `FORMAT`. Other packages add
formats through the entry point group `xnai_validate.formats`; an entry point has the name of the format and names a
module that declares `FORMAT` in the same way.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterable
from importlib.metadata import EntryPoint, entry_points
from pathlib import PurePath

from xnai_validate.errors import ConfigError, RegistryError
from xnai_validate.model.suggestions import did_you_mean
from xnai_validate.report.format import Format
from xnai_validate.report.format_names import GROUP, all_formats


class FormatRegistry:
    """All formats, each imported when it is needed first."""

    def __init__(self) -> None:
        self._modules: dict[str, str] | None = None
        self._formats: dict[str, Format] = {}

    def names(self) -> tuple[str, ...]:
        """Return the names of all formats, sorted. Raises RegistryError if two packages provide the same one."""
        return tuple(self._all_modules())

    def get(self, name: str) -> Format:
        """Return a format; raises ConfigError with the nearest name if no format has this name."""
        if name not in self._formats:
            modules = self._all_modules()
            if name not in modules:
                raise ConfigError(f'unknown format "{name}"', hint=did_you_mean(name, modules))
            self._formats[name] = _load_format(name, modules[name])
        return self._formats[name]

    def for_file(self, name: str) -> Format:
        """Return the format for the extension of a file, the longest that fits; raises ConfigError without one."""
        base = PurePath(name).name.lower()
        known = {extension: each for each in map(self.get, self.names()) for extension in each.extensions}
        fitting = [extension for extension in known if base.endswith(extension)]
        if not fitting:
            raise ConfigError(
                f'the name "{name}" does not show the format of the report',
                hint=f"end it in one of {', '.join(sorted(known))}, or name the format: markdown:{base}",
            )
        return known[max(fitting, key=len)]

    def forget(self) -> None:
        """Drop everything cached, so that entry points are read again."""
        self._modules = None
        self._formats.clear()

    def entry_points(self) -> Iterable[EntryPoint]:
        """Return the entry points of formats, of all installed distributions."""
        return entry_points(group=GROUP)

    def _all_modules(self) -> dict[str, str]:
        """Name -> module path, sorted by name."""
        if self._modules is None:
            self._modules = all_formats(self.entry_points())
        return self._modules


def _load_format(name: str, module: str) -> Format:
    """Import the module of a format. Raises RegistryError if it declares another."""
    try:
        declared = getattr(importlib.import_module(module), "FORMAT", None)
    except ImportError as error:
        raise RegistryError(f'the format "{name}" cannot be loaded: {error}') from error
    if not isinstance(declared, Format) or declared.name != name:
        raise RegistryError(f"{module} does not declare a FORMAT of the name {name}")
    return declared


FORMATS = FormatRegistry()
