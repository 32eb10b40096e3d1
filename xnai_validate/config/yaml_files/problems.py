"""Where mistakes are gathered, so that all of them are told together."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from xnai_validate.config.yaml_files.document import Source, Steps
from xnai_validate.model.source_location import Mistakes, Place, Problem

MANY = 5
"""Places of one mistake that are told one by one; with more of them the first stands for all."""


@dataclass(frozen=True, slots=True)
class Where:
    """A spot of a file, by the path of keys that leads to it; without a source: the command line or a handover."""

    source: Source | None
    steps: Steps = ()

    def at(self, *steps: str | int) -> Where:
        """A spot below this one."""
        return Where(self.source, (*self.steps, *steps))


@dataclass(slots=True)
class Problems:
    """The mistakes found so far."""

    found: dict[Problem, None] = field(default_factory=dict)
    _unresolved: set[Place] = field(default_factory=set)

    def at(self, where: Where, message: str, hint: str | None = None, *, key: bool = False) -> None:
        """Note a mistake at a spot; with `key` it is the key that is wrong, not its value."""
        if where.source is None:
            self.found[Problem(message, hint=hint)] = None
            return
        problem = where.source.problem(where.steps, message, hint, key=key)
        if problem.place not in self._unresolved:
            self.found[problem] = None

    def unresolved(self, where: Where, message: str, hint: str | None = None) -> None:
        """Note a reference that leads nowhere; what else is wrong at its place follows from that and is not told."""
        self.at(where, message, hint)
        if where.source is not None:
            self._unresolved.add(where.source.place(where.steps))

    def plain(self, message: str, hint: str | None = None) -> None:
        """Note a mistake that stands in no file."""
        self.found[Problem(message, hint=hint)] = None

    def extend(self, problems: Iterable[Problem]) -> None:
        """Note mistakes that are already placed."""
        self.found.update(dict.fromkeys(problems))

    def raise_if_any(self) -> None:
        """Raise Mistakes with all of them: those without a place first, then by file and line.

        Of one and the same mistake in many places (a var that nobody defines) the first place stands for all.
        """
        if self.found:
            raise Mistakes(tuple(_gathered(sorted(self.found, key=_order))))


def _gathered(problems: Sequence[Problem]) -> Iterator[Problem]:
    """The problems, but of those with the same words in many places only the first."""
    same: dict[tuple[str, str | None], list[Problem]] = {}
    for problem in problems:
        same.setdefault((problem.message, problem.hint), []).append(problem)
    for problem in problems:
        alike = same[problem.message, problem.hint]
        if len(alike) <= MANY:
            yield problem
        elif problem is next((one for one in alike if one.place), alike[0]):
            yield replace(problem, message=f"{problem.message} (the first of {len(alike)} places)")


def _order(problem: Problem) -> tuple[str, int, int, str]:
    place = problem.place
    return (place.file, place.line, place.column, problem.message) if place else ("", 0, 0, problem.message)
