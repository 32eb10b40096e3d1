"""Finds profiles, suites and contracts by name along the search path, and reads them."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from xnai_validate.config.options import LoadOptions
from xnai_validate.config.search_path import (
    ENDINGS,
    PATH_VARIABLE,
    WAIVERS,
    Root,
    bundled_root,
    entries,
    file_name,
    search_path,
)
from xnai_validate.config.yaml_files.document import Source, SourceCache
from xnai_validate.config.yaml_files.problems import Problems, Where
from xnai_validate.model.suggestions import did_you_mean

RECIPES = "recipes"
"""The folder of `checks/` that holds recipes instead of suites."""


@dataclass(frozen=True, slots=True)
class ConfigFile:
    """A profile or a suite that was found by its name."""

    name: str
    """`phase4.1` of a profile, `<category>/<suite>` of a suite."""
    path: Path
    bases: tuple[Path, ...]
    """The folders to which its path is shown relative."""
    bundled: bool

    @property
    def shown(self) -> str:
        """The path in messages; computed on demand, since few of the many files are ever shown."""
        return next(
            (str(self.path.relative_to(base)) for base in self.bases if self.path.is_relative_to(base)), str(self.path)
        )


@dataclass()
class Library:
    """All files within reach, by name; the first one of a name shadows the others."""

    options: LoadOptions
    problems: Problems
    cache: SourceCache | None = None
    roots: list[Root] = field(init=False)
    notices: dict[str, None] = field(default_factory=dict)
    _sources: dict[Path, Source | None] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.roots = search_path(self.options.cwd, self.options.paths, self.options.environ)
        for root in self.roots:
            if root.loose and not os.path.isdir(root.path):  # unlike Path.is_dir, false for a name that is too long
                self.problems.plain(f"{root.path} is not a directory", f"--path and {PATH_VARIABLE} name directories")

    def add_root_of(self, file: Path) -> None:
        """Search also beside a file that was named by its path, before the current directory."""
        for folder in (file.parent, *file.parent.parents[:2]):
            if any((folder / name).is_dir() for name in ("checks", "profiles", "contracts")):
                if all(folder.resolve() != root.path.resolve() for root in self.roots):
                    self.roots.insert(self.roots.index(Root(self.options.cwd)), Root(folder))
                    for name in ("suites", "profiles", "recipes", "contracts"):
                        self.__dict__.pop(name, None)
                return

    @cached_property
    def profiles(self) -> dict[str, ConfigFile]:
        """Every profile by name."""
        return self._first_of_each_name("profile", self._profile_files)

    @cached_property
    def suites(self) -> dict[str, ConfigFile]:
        """Every suite by `<category>/<suite>`, in order."""
        return self._first_of_each_name("suite", self._suite_files)

    @cached_property
    def recipes(self) -> dict[str, ConfigFile]:
        """Every recipe by name."""
        return self._first_of_each_name("recipe", self._recipe_files)

    @cached_property
    def contracts(self) -> dict[str, ConfigFile]:
        """Every contract file by name."""
        return self._first_of_each_name("contract", self._contract_files)

    def _contract_files(self, root: Root) -> Iterator[tuple[str, Path]]:
        """Yield each contract file of a root with its name."""
        for path in self._yaml_files(root.path / "contracts"):
            yield file_name(path), path

    def _profile_files(self, root: Root) -> Iterator[tuple[str, Path]]:
        """Yield each profile of a root with its name; the file of waivers is none."""
        for folder in root.profile_folders:
            for path in self._yaml_files(folder):
                if file_name(path) != WAIVERS:
                    yield file_name(path), path

    def _suite_files(self, root: Root) -> Iterator[tuple[str, Path]]:
        """Yield each suite of a root with its name, `<category>/<suite>`."""
        for category in self._list_folder(root.path / "checks"):
            if category.is_dir() and category.name != RECIPES:
                for path in self._yaml_files(category):
                    yield f"{category.name}/{file_name(path)}", path

    def _recipe_files(self, root: Root) -> Iterator[tuple[str, Path]]:
        """Yield each recipe of a root with its name."""
        for path in self._yaml_files(root.path / "checks" / RECIPES):
            yield file_name(path), path

    def _yaml_files(self, folder: Path) -> list[Path]:
        """Return the YAML files of a folder; none if the folder does not exist."""
        return [path for path in self._list_folder(folder) if path.suffix in ENDINGS]

    def _list_folder(self, folder: Path) -> list[Path]:
        """Return the entries of a folder, in order; none if it does not exist. Note an error if it is unreadable."""
        try:
            return entries(folder)
        except OSError as error:
            self.problems.plain(f"cannot read the folder {folder}: {error.strerror}")
            return []

    def _first_of_each_name(
        self, noun: str, files: Callable[[Root], Iterator[tuple[str, Path]]]
    ) -> dict[str, ConfigFile]:
        """Return the first file of each name along the search path, and note where it hides a bundled one."""
        files_by_name: dict[str, ConfigFile] = {}
        for root in self.roots:
            bases = (self.options.cwd, root.path) if root.bundled else (self.options.cwd,)
            for name, path in files(root):
                other = files_by_name.get(name)
                if other is None:
                    files_by_name[name] = ConfigFile(name, path, bases, root.bundled)
                elif root.bundled and not other.bundled and path.resolve() != other.path.resolve():
                    self.notices[f"the {noun} {name} is that of {other.shown}, not the bundled one"] = None
        return dict(sorted(files_by_name.items()))

    def profile(self, name: str, named_at: Where | None = None) -> ConfigFile | None:
        """The profile of a name, or of a path that ends in .yaml; an unknown one is noted as an error."""
        where = named_at or Where(None)
        if name.endswith(ENDINGS):
            path = self.options.cwd / name
            if not os.path.isfile(path):
                bare = file_name(path)
                hint = f"the profile {bare} is named without folder and ending" if bare in self.profiles else None
                message = f"{name} is not a readable file" if os.path.exists(path) else f"there is no file {name}"
                self.problems.at(where, message, hint)
                return None
            path = path.absolute()
            self.add_root_of(path)
            return ConfigFile(name, path, (self.options.cwd,), path.is_relative_to(bundled_root()))
        profile = self.profiles.get(name)
        if profile is None:
            folder = os.path.isdir(self.options.cwd / name)
            hint = f"{name} is a folder; --path {name} searches it" if folder else did_you_mean(name, self.profiles)
            self.problems.at(where, f'unknown profile "{name}"', hint)
        return profile

    def read(self, file: ConfigFile) -> Source | None:
        """The content of a file; None if it cannot be read, which is noted as an error."""
        if file.path not in self._sources:
            cache = self.cache or SourceCache()
            source, problems = cache.read(file.path, file.shown)
            self.problems.extend(problems)
            self._sources[file.path] = source
        return self._sources[file.path]

    def holds_vars(self, file: ConfigFile) -> bool:
        """Whether a file among the suites is a vars file: it has vars and no checks."""
        source = self.read(file)
        return (
            source is not None
            and isinstance(source.value, dict)
            and "vars" in source.value
            and "checks" not in source.value
        )
