"""Where profiles and suites lie: the one place that knows of bundled data and of the search order."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import xnai_validate
from xnai_validate.config.files.vars_file import holds_vars
from xnai_validate.config.options import LoadOptions
from xnai_validate.config.yaml_files.document import Source, read_source
from xnai_validate.config.yaml_files.problems import Problems, Where
from xnai_validate.model.suggestions import did_you_mean

PATH_VARIABLE = "XNAI_VALIDATE_PATH"
_ENDINGS = (".yaml", ".yml")


def bundled_root() -> Path:
    """The directory with the bundled `checks/` and `profiles/`: the checkout, else within the installed package."""
    package = Path(xnai_validate.__file__).resolve().parent
    checkout = package.parent
    if (checkout / "pyproject.toml").is_file() and (checkout / "checks").is_dir():
        return checkout
    return package / "_bundled"


@dataclass(frozen=True, slots=True)
class Found:
    """A file that was found by its name."""

    name: str
    """`phase4.1` of a profile, `<category>/<suite>` of a suite."""
    path: Path
    bases: tuple[Path, ...]
    """The folders below which it is told by the rest of its path."""
    bundled: bool

    @property
    def shown(self) -> str:
        """The path as the user is told; of the many files that are found, few are."""
        return next(
            (str(self.path.relative_to(one)) for one in self.bases if self.path.is_relative_to(one)), str(self.path)
        )


@dataclass(slots=True)
class _Root:
    path: Path
    bundled: bool
    loose: bool
    """Whether profiles may also lie directly in it."""


@dataclass()
class Library:
    """All files within reach, by name; what is found first shadows the rest."""

    options: LoadOptions
    problems: Problems
    roots: list[_Root] = field(init=False)
    notices: dict[str, None] = field(default_factory=dict)
    _sources: dict[Path, Source | None] = field(default_factory=dict)

    def __post_init__(self) -> None:
        cwd = self.options.cwd
        given = [cwd / path for path in self.options.paths]
        given += [cwd / path for path in self.options.environ.get(PATH_VARIABLE, "").split(":") if path]
        for path in given:
            if not path.is_dir():
                self.problems.plain(f"{path} is not a directory", f"--path and {PATH_VARIABLE} name directories")
        self.roots = [_Root(path, False, True) for path in given]
        self.roots += [_Root(cwd, False, False), _Root(bundled_root(), True, False)]

    def add_root_of(self, file: Path) -> None:
        """Search also beside a file that was named by its path, before the current directory."""
        for folder in (file.parent, *file.parent.parents[:2]):
            if any((folder / name).is_dir() for name in ("checks", "profiles")):
                if all(folder.resolve() != root.path.resolve() for root in self.roots):
                    self.roots.insert(len(self.roots) - 2, _Root(folder, False, False))
                    self.__dict__.pop("suites", None)
                    self.__dict__.pop("profiles", None)
                return

    @cached_property
    def profiles(self) -> dict[str, Found]:
        """Every profile by name."""
        return self._first("profile", self._profile_files)

    @cached_property
    def suites(self) -> dict[str, Found]:
        """Every suite by `<category>/<suite>`, in order."""
        return self._first("suite", _suite_files)

    def _profile_files(self, root: _Root) -> Iterator[tuple[str, Path]]:
        folders = [root.path / "profiles", root.path] if root.loose else [root.path / "profiles"]
        for folder in folders:
            if folder.is_dir():
                for path in sorted(folder.iterdir()):
                    if path.suffix in _ENDINGS:
                        yield path.name.removesuffix(path.suffix), path

    def _first(self, what: str, files: object) -> dict[str, Found]:
        found: dict[str, Found] = {}
        for root in self.roots:
            bases = (self.options.cwd, root.path) if root.bundled else (self.options.cwd,)
            for name, path in files(root):  # type: ignore[operator]
                other = found.get(name)
                if other is None:
                    found[name] = Found(name, path, bases, root.bundled)
                elif root.bundled and not other.bundled and not path.samefile(other.path):
                    self.notices[f"the {what} {name} is that of {other.shown}, not the bundled one"] = None
        return dict(sorted(found.items()))

    def profile(self, name: str, asked: Where | None = None) -> Found | None:
        """The profile of a name or a path that ends in .yaml; an unknown one is noted as a mistake."""
        where = asked or Where(None)
        if name.endswith(_ENDINGS):
            path = self.options.cwd / name
            if not path.is_file():
                bare = path.name.removesuffix(path.suffix)
                hint = f"the profile {bare} is named without folder and ending" if bare in self.profiles else None
                there = f"{name} is no file that can be read" if path.exists() else f"there is no file {name}"
                self.problems.at(where, there, hint)
                return None
            path = path.absolute()
            self.add_root_of(path)
            return Found(name, path, (self.options.cwd,), path.is_relative_to(bundled_root()))
        found = self.profiles.get(name)
        if found is None:
            folder = (self.options.cwd / name).is_dir()
            hint = f"{name} is a folder; --path {name} searches it" if folder else did_you_mean(name, self.profiles)
            self.problems.at(where, f'unknown profile "{name}"', hint)
        return found

    def read(self, found: Found) -> Source | None:
        """The content of a file; None where it cannot be read, which is then noted as a mistake."""
        if found.path not in self._sources:
            source, problems = read_source(found.path, found.shown)
            self.problems.extend(problems)
            self._sources[found.path] = source
        return self._sources[found.path]

    def holds_vars(self, found: Found) -> bool:
        """Whether a file that lies among the suites holds vars, so that it is none of them."""
        source = self.read(found)
        return source is not None and holds_vars(source.value)


def _suite_files(root: _Root) -> Iterator[tuple[str, Path]]:
    checks = root.path / "checks"
    if checks.is_dir():
        for category in sorted(checks.iterdir()):
            if category.is_dir():
                for path in sorted(category.iterdir()):
                    if path.suffix in _ENDINGS:
                        yield f"{category.name}/{path.name.removesuffix(path.suffix)}", path
