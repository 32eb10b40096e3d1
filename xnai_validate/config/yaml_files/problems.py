"""The collector of errors in files, so that all of them are reported together."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from xnai_validate.config.yaml_files.document import Source, Steps
from xnai_validate.config.yaml_files.validation_messages import FieldError
from xnai_validate.model.source_location import InvalidConfig, Problem, SourceLocation

KEPT_CAP = 1_000
"""Up to this many errors are kept; a file of more is another kind of file."""
MANY = 5
"""Up to this many places of the same error are reported one by one; of more, only the first with their number."""


@dataclass(frozen=True, slots=True)
class Where:
    """A place in a file, by the path of keys that leads to it; without a source: the command line or a stack file."""

    source: Source | None
    steps: Steps = ()

    def at(self, *steps: str | int) -> Where:
        """A place below this one."""
        return Where(self.source, (*self.steps, *steps))


@dataclass(slots=True)
class Problems:
    """The errors found so far."""

    found: dict[Problem, None] = field(default_factory=dict)
    _unresolved: set[SourceLocation] = field(default_factory=set)

    def at(self, where: Where, message: str, hint: str | None = None, *, key: bool = False) -> None:
        """Note an error at a place; with `key` the key is wrong, not its value."""
        if where.source is None:
            self.found[Problem(message, hint=hint)] = None
            return
        problem = where.source.problem(where.steps, message, hint, key=key)
        if problem.place not in self._unresolved:
            self.found[problem] = None

    def unresolved(self, where: Where, message: str, hint: str | None = None) -> None:
        """Note a reference that cannot be resolved; other errors at its place are consequences and are dropped."""
        self.at(where, message, hint)
        if where.source is not None:
            self._unresolved.add(where.source.place(where.steps))

    def suspect(self, where: Where) -> None:
        """Drop errors at a place from now on: its value is not the one of a run."""
        if where.source is not None:
            self._unresolved.add(where.source.place(where.steps))

    def leave_out(self, files: Collection[str]) -> int:
        """Drop the errors in some files; return how many there were."""
        kept = {problem: None for problem in self.found if problem.place is None or problem.place.file not in files}
        count = len(self.found) - len(kept)
        self.found = kept
        return count

    def plain(self, message: str, hint: str | None = None) -> None:
        """Note an error that stands in no file."""
        self.found[Problem(message, hint=hint)] = None

    def extend_at(self, where: Where, errors: Iterable[FieldError]) -> None:
        """Note the validation errors of the value at a place."""
        for error in errors:
            self.at(where.at(*error.steps), error.message, error.hint, key=error.key)

    def extend(self, problems: Iterable[Problem]) -> None:
        """Note errors that have their place already."""
        self.found.update(dict.fromkeys(problems))

    def raise_if_any(self) -> None:
        """Raise InvalidConfig with all errors: those without a place first, then by file and line.

        The same error in many places (an undefined var) is reported once, with the first place.
        """
        if self.found:
            raise InvalidConfig(list(_without_repetitions(sorted(self.found, key=_sort_key)))[:KEPT_CAP])


def _without_repetitions(problems: Sequence[Problem]) -> Iterator[Problem]:
    """The problems; of those with the same text in many places only the first."""
    same: dict[tuple[str, str | None], list[Problem]] = {}
    for problem in problems:
        same.setdefault((problem.message, problem.hint), []).append(problem)
    for problem in problems:
        alike = same[problem.message, problem.hint]
        if len(alike) <= MANY:
            yield problem
        elif problem is next((other for other in alike if other.place), alike[0]):
            yield replace(problem, message=f"{problem.message} (the first of {len(alike)} places)")


def _sort_key(problem: Problem) -> tuple[str, int, int, str]:
    """Return what errors are sorted by: file, line, column, message."""
    place = problem.place
    return (place.file, place.line, place.column, problem.message) if place else ("", 0, 0, problem.message)
