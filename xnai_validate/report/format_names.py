"""The names of the report formats, found without importing one: a bundled format has the name of its file."""

from __future__ import annotations

import pkgutil
from collections.abc import Iterable
from importlib.metadata import EntryPoint, entry_points

from xnai_validate.errors import ConfigError, RegistryError
from xnai_validate.model.suggestions import did_you_mean
from xnai_validate.report import formats

GROUP = "xnai_validate.formats"
"""The entry point group by which other packages add formats."""


def bundled_formats() -> dict[str, str]:
    """Return name -> module path of the formats in `report/formats`."""
    names = [module.name for module in pkgutil.iter_modules(formats.__path__)]
    return {name: f"{formats.__name__}.{name}" for name in names if not name.startswith("_")}


def all_formats(points: Iterable[EntryPoint]) -> dict[str, str]:
    """Return name -> module path of the bundled formats and of those that entry points name, sorted by name.

    Raises RegistryError if two packages provide the same format.
    """
    modules = bundled_formats()
    for point in points:
        other = modules.setdefault(point.name, point.value)
        if other != point.value:
            raise RegistryError(
                f'the format "{point.name}" is provided twice: by {other} and by {point.value}',
                hint="uninstall one of the two packages",
            )
    return dict(sorted(modules.items()))


def format_name(text: str) -> str:
    """Return `text` if it is the name of a format; raises ConfigError with the nearest name if not."""
    if text not in bundled_formats():
        known = all_formats(entry_points(group=GROUP))
        if text not in known:
            raise ConfigError(f'unknown format "{text}"', hint=did_you_mean(text, known))
    return text
