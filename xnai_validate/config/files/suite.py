"""A suite file, `checks/<category>/<suite>.yaml`: what is verified."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field, ValidationError

from xnai_validate.config.compile.interpolation import Interpolator
from xnai_validate.config.files.common import DefaultsEntry, Entry, Kebab, RetryEntry, Rules, Texts, UntilEntry
from xnai_validate.config.yaml_files.document import Source
from xnai_validate.config.yaml_files.problems import Problems, Where
from xnai_validate.config.yaml_files.validation_messages import wrongs
from xnai_validate.kit import FROM_FILE, Disturbance, Duration
from xnai_validate.model.json import JsonObject, JsonValue

_CHECKS = "checks"


class CheckEntry(Entry):
    """One check: what is measured, and the rules that it must hold."""

    id: Kebab
    """Unique within the suite; the full id is `<category>/<suite>:<id>`."""
    title: Annotated[str, Field(min_length=1)]
    """What is promised, as a sentence that is true when the check passes."""
    kind: str
    """The kind of check, such as `http.request`; `xnai-validate list kinds` has them all."""
    target: str | None = None
    """The part of the stack that is measured."""
    with_: JsonObject = Field(default_factory=dict, alias="with")
    """The parameters of the kind."""
    expect: Rules | None = None
    """Fact -> rule; where one does not hold, the check fails."""
    warn: Rules | None = None
    """Fact -> rule; where one does not hold, the check passes with a warning."""
    needs: Texts = ()
    """Checks that must pass first: full ids, or ids within the suite."""
    retry: RetryEntry | None = None
    until: UntilEntry | None = None
    timeout: Duration | None = None
    """How long one measurement may take; then the check fails."""
    tags: Texts = ()
    covers: Texts = ()
    """What of a plan or a requirement it verifies, such as `KG-3`."""
    fix: str | None = None
    """How to go on when it does not pass."""
    exclusive: bool = False
    """Nothing else runs meanwhile."""
    disruptive: bool = False
    """It disturbs the stack: it runs alone, and only where `disruptive` is allowed."""
    under: tuple[Disturbance, ...] = ()
    """Faults that are in force while it is measured, and taken back afterwards; that makes it disruptive."""
    when: JsonObject | None = None
    """Var -> rule; where one does not hold, the check is skipped with that reason."""


class SuiteFile(Entry):
    """A file of checks about one thing."""

    title: Annotated[str, Field(min_length=1)]
    covers: Texts = ()
    """What all its checks cover, besides their own."""
    needs: Texts = ()
    """What all its checks need, but those that are needed here themselves."""
    defaults: DefaultsEntry = DefaultsEntry()
    checks: Annotated[tuple[CheckEntry, ...], Field(min_length=1)]


class SuiteHead(Entry):
    """A suite file without its checks."""

    title: str
    covers: Texts = ()
    needs: Texts = ()
    defaults: DefaultsEntry = DefaultsEntry()


@dataclass(frozen=True, slots=True)
class WrittenCheck:
    """A check as it is written."""

    entry: CheckEntry
    raw_with: JsonValue
    """Its `with`, interpolated but not verified."""
    missing_values: bool
    """Whether it refers to something that has no value on this stack."""


@dataclass(frozen=True, slots=True)
class Suite:
    """A suite that was read; checks with mistakes are left out, their mistakes noted."""

    name: str
    """`<category>/<suite>`."""
    category: str
    """The folder it lies in."""
    head: SuiteHead
    places: dict[str, int]
    """Full id -> place in the list of checks, from 0, in order; also of the checks that were left out."""
    unplanned: dict[str, WrittenCheck]
    """By full id, the checks that were not asked for yet: of thousands, no more is kept than is needed."""
    source: Source

    @property
    def where(self) -> Where:
        """The whole file."""
        return Where(self.source)

    def where_of(self, check_id: str) -> Where:
        """Where a check is written."""
        return Where(self.source, (_CHECKS, self.places[check_id]))

    def line_of(self, check_id: str) -> int:
        """In which line a check is written."""
        return self.source.line_of(_CHECKS, self.places[check_id])


def read_suite(name: str, source: Source, interpolator: Interpolator, problems: Problems) -> Suite | None:
    """The suite of a file; None where not even its head can be read."""
    whole = Where(source)
    if not isinstance(source.value, dict):
        problems.at(whole, "a suite is a mapping with title and checks")
        return None
    raw = {key: value for key, value in source.value.items() if key != _CHECKS}
    if source.templated:
        found = interpolator.value(raw, whole)
        raw = found if isinstance(found, dict) else raw
    try:
        head = SuiteHead.model_validate(raw, context=FROM_FILE)
    except ValidationError as error:
        for wrong in wrongs(error, raw, SuiteFile, "a suite"):
            problems.at(whole.at(*wrong.steps), wrong.message, wrong.hint, key=wrong.key)
        head = SuiteHead.model_construct(title=name)
    checks = source.value.get(_CHECKS)
    if not isinstance(checks, list) or not checks:
        problems.at(whole.at(_CHECKS), "a suite has a list of checks")
        return None
    suite = Suite(name, name.partition("/")[0], head, {}, {}, source)
    _read_checks(suite, checks, interpolator, problems)
    return suite


def _read_checks(suite: Suite, raw: list[JsonValue], interpolator: Interpolator, problems: Problems) -> None:
    """Take every check out of the list: what stands in it is not kept twice."""
    templated = suite.source.templated
    for index, item in enumerate(raw):
        raw[index] = None
        here = Where(suite.source, (_CHECKS, index))
        value, missing = item, 0
        if templated:
            missing = interpolator.missing_values
            value = interpolator.value(item, here)
            missing = interpolator.missing_values - missing
        entry = _entry(value, here, problems)
        if not isinstance(value, dict) or "id" not in value:
            continue
        check_id = full_id(suite.name, str(value["id"]))
        if entry is None:
            suite.places.setdefault(check_id, index)
        elif check_id in suite.unplanned:
            first = suite.line_of(check_id)
            problems.at(here.at("id"), f'the id "{entry.id}" stands in this suite twice, first in line {first}')
        else:
            suite.places[check_id] = index
            suite.unplanned[check_id] = WrittenCheck(entry, value.get("with", {}), missing > 0)


def _entry(value: JsonValue, where: Where, problems: Problems) -> CheckEntry | None:
    try:
        return CheckEntry.model_validate(value, context=FROM_FILE)
    except ValidationError as error:
        for wrong in wrongs(error, value, CheckEntry, "a check"):
            problems.at(where.at(*wrong.steps), wrong.message, wrong.hint, key=wrong.key)
        return None


def need_ids(suite: Suite, written: WrittenCheck) -> tuple[str, ...]:
    """The full ids in the `needs` of a check itself."""
    return tuple(full_id(suite.name, need) for need in written.entry.needs)


def full_id(suite: str, need: str) -> str:
    """A need as a full id: one without a suite is of the same suite."""
    return need if ":" in need else f"{suite}:{need}"
