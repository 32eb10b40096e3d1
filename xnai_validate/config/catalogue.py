"""All profiles, suites and checks within reach, as they are written."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from functools import cached_property

from xnai_validate.config.locate import RECIPES, ConfigFile, Library
from xnai_validate.config.options import LoadOptions
from xnai_validate.config.search_path import bundled_root
from xnai_validate.config.yaml_files.document import SourceCache
from xnai_validate.config.yaml_files.problems import Problems, Where
from xnai_validate.model.json import JsonValue

_NO_OPTIONS = LoadOptions()
BASE = "stack"
"""The profile whose targets and vars hold for suites that no profile of the user runs."""


@dataclass(frozen=True, slots=True)
class ProfileSummary:
    """A profile, as a list shows it."""

    name: str
    title: str
    file: str
    bundled: bool
    extends: tuple[str, ...]
    suites: tuple[str, ...]
    """Its own globs."""
    recipe_suites: tuple[str, ...] = ()
    """The suites that its uses of recipes make: `<target>/<recipe>`."""


@dataclass(frozen=True, slots=True)
class CheckSummary:
    """A check, as a list shows it: as written, not validated; `explain` shows the rest."""

    id: str
    title: str
    category: str
    kind: str
    target: str | None
    tags: tuple[str, ...]
    covers: tuple[str, ...]
    fix: str | None
    file: str
    line: int
    promise: str | None = None
    """The id of the promise or practice that it verifies."""


@dataclass(frozen=True, slots=True)
class SuiteSummary:
    """A suite, as a list shows it."""

    name: str
    title: str
    file: str
    bundled: bool
    covers: tuple[str, ...]
    checks: tuple[CheckSummary, ...]

    @property
    def category(self) -> str:
        """The folder of its file."""
        return self.name.partition("/")[0]


@dataclass()
class Catalogue:
    """Everything within reach, read on demand; imports no checker.

    Files that are not YAML raise `InvalidConfig`; `load_plan` and `lint` find other errors.
    """

    options: LoadOptions
    cache: SourceCache | None = None
    _problems: Problems = field(default_factory=Problems)

    @cached_property
    def library(self) -> Library:
        """The files, by name."""
        return Library(self.options, self._problems, self.cache)

    @cached_property
    def profiles(self) -> tuple[ProfileSummary, ...]:
        """Every profile, by name."""
        summaries = tuple(self._summarize_profile(file) for file in self.library.profiles.values())
        self._problems.raise_if_any()
        return summaries

    @cached_property
    def suites(self) -> tuple[SuiteSummary, ...]:
        """Every suite, by category and name."""
        summaries = tuple(self._suite(file) for file in suites_of(self.library))
        self._problems.raise_if_any()
        return summaries

    @cached_property
    def recipes(self) -> tuple[SuiteSummary, ...]:
        """Every recipe, by name; its checks are called `recipes/<recipe>:<id>` here."""
        summaries = tuple(
            self._suite(replace(file, name=f"{RECIPES}/{file.name}")) for file in self.library.recipes.values()
        )
        self._problems.raise_if_any()
        return summaries

    @property
    def checks(self) -> tuple[CheckSummary, ...]:
        """Every check of every suite."""
        return tuple(check for suite in self.suites for check in suite.checks)

    def homes(self, suites: Iterable[str]) -> dict[str, str]:
        """Suite -> the profile under which it is validated, since only a profile knows the targets and vars of a stack.

        A suite of the user has the first profile of the user that runs it, all others have the base profile.
        """
        own = [profile for profile in self.profiles if _is_own(self.library.profiles[profile.name])]

        def home(name: str) -> str:
            """Return the profile of the user that runs a suite; BASE if none does."""
            file = self.library.suites.get(name)
            if file is None or not _is_own(file):
                return BASE
            runs_it = (each.name for each in own if any(fnmatchcase(name, glob) for glob in each.suites))
            return next(runs_it, BASE)

        return {name: home(name) for name in suites}

    def _summarize_profile(self, file: ConfigFile) -> ProfileSummary:
        """Read what a profile is, names and runs, without compiling it."""
        raw = self._read_mapping(file)
        return ProfileSummary(
            file.name,
            _text_value(raw, "title"),
            file.shown,
            file.bundled,
            _text_values(raw, "extends"),
            _text_values(raw, "suites"),
            _suites_of_recipes(raw),
        )

    def _suite(self, file: ConfigFile) -> SuiteSummary:
        """Return the summary of a suite as it is written: nothing is interpolated, and what is invalid is left out."""
        raw = self._read_mapping(file)
        defaults = raw.get("defaults")
        shared = defaults if isinstance(defaults, dict) else {}
        checks = raw.get("checks")
        covers = (*_text_values(raw, "covers"), *_text_values(shared, "covers"))
        source = self.library.read(file)
        summaries = tuple(
            CheckSummary(
                id=f"{file.name}:{_text_value(item, 'id')}",
                title=_text_value(item, "title"),
                category=file.name.partition("/")[0],
                kind=_text_value(item, "kind"),
                target=_text_value(item, "target") or _text_value(shared, "target") or None,
                tags=(*_text_values(shared, "tags"), *_text_values(item, "tags")),
                covers=(*covers, *_text_values(item, "covers")),
                fix=_text_value(item, "fix") or _text_value(shared, "fix") or None,
                file=file.shown,
                line=source.line_of("checks", index) if source else 1,
                promise=_promise_id(item) or _promise_id(shared),
            )
            for index, item in enumerate(checks if isinstance(checks, list) else ())
            if isinstance(item, dict)
        )
        return SuiteSummary(file.name, _text_value(raw, "title"), file.shown, file.bundled, covers, summaries)

    def _read_mapping(self, file: ConfigFile) -> dict[str, JsonValue]:
        """Read a file as a mapping; return an empty one, and note an error, if it is not a mapping."""
        source = self.library.read(file)
        if source is None:
            return {}
        if not isinstance(source.value, dict):
            self._problems.at(Where(source), "a profile or a suite is a mapping with a title")
            return {}
        return source.value


def _is_own(file: ConfigFile) -> bool:
    """Whether a file belongs to the user; in a checkout, the bundled files are also found in the current directory."""
    return not file.path.is_relative_to(bundled_root())


def catalogue(options: LoadOptions = _NO_OPTIONS) -> Catalogue:
    """Everything that can be run with these options."""
    return Catalogue(options)


def suites_of(library: Library) -> Iterator[ConfigFile]:
    """The files within reach that hold checks: all files among the suites but the vars files."""
    return (file for file in library.suites.values() if not library.holds_vars(file))


def _promise_id(raw: object) -> str | None:
    """Return the id of the promise or practice that a check names, if any."""
    return _text_value(raw, "promise") or _text_value(raw, "practice") or None


def _text_value(raw: object, name: str) -> str:
    """Return a text of a mapping from YAML; an empty text if it is absent or no text."""
    value = raw.get(name) if isinstance(raw, dict) else None
    return value if isinstance(value, str) else ""


def _text_values(raw: object, name: str) -> tuple[str, ...]:
    """Return the texts of a mapping's entry that is one text or a list of them; mappings in the list are left out."""
    value = raw.get(name) if isinstance(raw, dict) else None
    if isinstance(value, str):
        return (value,)
    return tuple(str(item) for item in value if not isinstance(item, dict)) if isinstance(value, list) else ()


def _suites_of_recipes(raw: dict[str, JsonValue]) -> tuple[str, ...]:
    """Return the names of the suites, `<target>/<recipe>`, that a profile makes of recipes."""
    value = raw.get("suites")
    uses = [item for item in (value if isinstance(value, list) else ()) if isinstance(item, dict)]
    return tuple(f"{_text_value(use, 'target')}/{_text_value(use, 'as') or _text_value(use, 'recipe')}" for use in uses)
