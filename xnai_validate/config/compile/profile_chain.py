"""The profiles of a run with all that they extend, in the order in which later ones override earlier ones."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from pydantic import ValidationError

from xnai_validate.config.compile.variables.interpolation import Interpolator
from xnai_validate.config.files.profile import ProfileFile
from xnai_validate.config.files.vars_file import read_vars
from xnai_validate.config.locate import Library
from xnai_validate.config.yaml_files.document import Source
from xnai_validate.config.yaml_files.problems import Problems, Where
from xnai_validate.config.yaml_files.validation_messages import field_errors
from xnai_validate.kit import FROM_FILE
from xnai_validate.model.json import JsonObject
from xnai_validate.model.suggestions import did_you_mean

DEPTH_CAP = 32
"""The most levels of profiles that extend one another."""
_RUN_A_SUITE = "name it under suites of a profile; of that profile, --only CATEGORY/SUITE runs it alone"


@dataclass(frozen=True, slots=True)
class Link:
    """One profile file of the chain, not yet interpolated."""

    name: str
    raw: JsonObject
    source: Source
    named: bool
    """Whether it stands on the command line; the others are extended by it."""
    vars_files: tuple[tuple[JsonObject, Where], ...] = ()
    """The vars of the vars files that it names, each with its place."""
    folder: Path | None = None
    """The folder that it lies in."""
    selects: bool = True
    """Whether its suites run; else its recipes are only known, to checks that need theirs."""

    @property
    def where(self) -> Where:
        """The whole file."""
        return Where(self.source)


@dataclass(frozen=True, slots=True)
class Profile:
    """A validated profile of the chain."""

    link: Link
    file: ProfileFile

    @property
    def where(self) -> Where:
        """The whole file."""
        return self.link.where


@dataclass(slots=True)
class Chain:
    """Reads profiles and those that they extend; each once, bases first."""

    library: Library
    problems: Problems
    links: dict[str, Link] = field(default_factory=dict)
    lacks_vars: bool = False
    """Whether a vars file could not be read."""
    _open: list[str] = field(default_factory=list)
    """The profiles that are being read, each extended by the one before it: a name that comes again is a cycle."""

    def add(self, name: str, extended_at: Where | None = None) -> None:
        """Read a profile and all that it extends; `extended_at`: the place that names it, None for the command line."""
        if name in self._open:
            path = " -> ".join([*self._open[self._open.index(name) :], name])
            self.problems.at(extended_at or Where(None), f"profiles extend each other: {path}")
            return
        if len(self._open) >= DEPTH_CAP:
            message = f"profiles extend one another more than {DEPTH_CAP} levels deep"
            self.problems.at(extended_at or Where(None), message, "let one profile extend several: extends: [a, b]")
            return
        file = self.library.profile(name, extended_at)
        if file is None or name in self.links:
            return
        source = self.library.read(file)
        if source is None:
            return
        if not isinstance(source.value, dict):
            empty = source.value is None
            self.problems.at(
                Where(source),
                f"{file.shown} is empty" if empty else "a profile is a mapping with a title",
                "a profile has a title, and suites or extends" if empty else None,
            )
            return
        if isinstance(source.value.get("checks"), list) and "suites" not in source.value:
            self.problems.at(Where(source, ("checks",)), f"{file.shown} is a suite, not a profile", _RUN_A_SUITE)
            return
        self._open.append(name)
        for index, base in _indexed_texts(source.value.get("extends")):
            steps = ("extends",) if index is None else ("extends", index)
            self.add(base, Where(source, steps))
        self._open.pop()
        self.links[name] = Link(
            name, source.value, source, extended_at is None, tuple(self._vars_files(source)), file.path.parent
        )

    def add_raw(self, name: str, source: Source) -> None:
        """Add a profile that the program made; it lies in no file."""
        if isinstance(source.value, dict):
            for _, base in _indexed_texts(source.value.get("extends")):
                self.add(base, Where(source, ("extends",)))
            self.links[name] = Link(name, source.value, source, True)

    def _vars_files(self, source: Source) -> Iterator[tuple[JsonObject, Where]]:
        """Yield the vars of each file that a profile names under `vars_files`, with their place."""
        assert isinstance(source.value, dict)
        for index, name in _indexed_texts(source.value.get("vars_files")):
            suite = self.library.suites.get(name)
            file = self.library.read(suite) if suite else None
            vars_ = read_vars(file, self.problems) if file else None
            if suite is None:
                where = Where(source, ("vars_files",) if index is None else ("vars_files", index))
                self.problems.at(where, f'unknown file of vars "{name}"', did_you_mean(name, self.library.suites))
            if file is None or vars_ is None:
                self.lacks_vars = True
            else:
                yield vars_, Where(file, ("vars",))

    def folders(self) -> Iterator[Path]:
        """The folders of the profiles, also of those that are extended."""
        return (link.folder for link in self.links.values() if link.folder is not None)

    def leave_out(self, keys: Collection[str], but_of: str) -> None:
        """Drop some keys of all profiles but one, which alone selects suites; it inherits targets and vars."""
        for name, link in self.links.items():
            if name != but_of:
                kept = {key: value for key, value in link.raw.items() if key not in keys}
                self.links[name] = replace(link, raw=kept, selects=False)

    def target_names(self) -> Iterator[str]:
        """The names of the targets of all profiles, also of those with errors."""
        for link in self.links.values():
            targets = link.raw.get("targets")
            yield from targets if isinstance(targets, dict) else ()

    def verified(self, interpolator: Interpolator) -> tuple[Profile, ...]:
        """Every valid profile, interpolated except for its `vars`; errors are noted."""
        return tuple(profile for link in self.links.values() if (profile := self._validate_profile(link, interpolator)))

    def _validate_profile(self, link: Link, interpolator: Interpolator) -> Profile | None:
        """Return a profile of the chain, interpolated and validated; None if it has errors, which are noted."""
        # The vars of all profiles were merged before, and are interpolated when something refers to them.
        raw: JsonObject = {
            key: value if key == "vars" else interpolator.value(value, link.where.at(key))
            for key, value in link.raw.items()
        }
        try:
            return Profile(link, ProfileFile.model_validate(raw, context=FROM_FILE))
        except ValidationError as error:
            self.problems.extend_at(link.where, field_errors(error, raw, ProfileFile, "a profile"))
            return None


def _indexed_texts(raw: object) -> Iterable[tuple[int | None, str]]:
    """Yield each text of a value that is one text (index None) or a list, with its index in the list."""
    if isinstance(raw, str):
        return [(None, raw)]
    if isinstance(raw, list):
        return [(index, text) for index, text in enumerate(raw) if isinstance(text, str)]
    return []
