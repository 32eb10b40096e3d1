"""The folders that are searched for profiles, suites and contracts, and the names of the profiles in them."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import xnai_validate

PATH_VARIABLE = "XNAI_VALIDATE_PATH"
"""The environment variable with further folders, between colons."""
ENDINGS = (".yaml", ".yml")
WAIVERS = "waivers"
"""The name of the file beside profiles that holds waivers; no profile has it."""


@dataclass(frozen=True, slots=True)
class Root:
    """A folder that is searched: it holds `profiles/`, `checks/` and `contracts/`."""

    path: Path
    bundled: bool = False
    loose: bool = False
    """Whether profiles may also lie directly in it."""

    @property
    def profile_folders(self) -> tuple[Path, ...]:
        """The folders in which its profiles lie."""
        folder = self.path / "profiles"
        return (folder, self.path) if self.loose else (folder,)


def bundled_root() -> Path:
    """The directory with the bundled `checks/` and `profiles/`: the checkout, else within the installed package."""
    package = Path(xnai_validate.__file__).resolve().parent
    checkout = package.parent
    if (checkout / "pyproject.toml").is_file() and (checkout / "checks").is_dir():
        return checkout
    return package / "_bundled"


def search_path(cwd: Path, given: Iterable[Path], environ: Mapping[str, str]) -> list[Root]:
    """Return the folders in the order of the search: those given, those of the environment, `cwd`, the bundled one.

    In a checkout the current directory may be the bundled one; it is searched once.
    """
    named = [path for path in environ.get(PATH_VARIABLE, "").split(":") if path]
    roots = [Root(cwd / path, loose=True) for path in [*given, *map(Path, named)]]
    bundled = Root(bundled_root(), bundled=True)
    return [*roots, Root(cwd)] if cwd.resolve() == bundled.path else [*roots, Root(cwd), bundled]


def entries(folder: Path) -> list[Path]:
    """Return the entries of a folder, sorted; empty if it does not exist. Raises OSError if it cannot be read."""
    try:
        return sorted(folder.iterdir())
    except (FileNotFoundError, NotADirectoryError):
        return []


def file_name(path: Path) -> str:
    """Return the name of a profile, suite or contract: that of its file, without the ending."""
    return path.name.removesuffix(path.suffix)


def profile_names() -> list[str]:
    """Return the names of all profiles within reach, sorted. Folders that cannot be read are passed over."""
    return sorted(set(_profile_names()))


def _profile_names() -> Iterator[str]:
    """Yield the names of the profiles along the search path; folders that cannot be read are skipped."""
    for root in search_path(Path.cwd(), (), os.environ):
        for folder in root.profile_folders:
            try:
                names = (file_name(path) for path in entries(folder) if path.suffix in ENDINGS)
                yield from (name for name in names if name != WAIVERS)
            except OSError:
                continue
