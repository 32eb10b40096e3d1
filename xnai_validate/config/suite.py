"""A suite file, `checks/<category>/<suite>.yaml`: what is verified."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from xnai_validate.config.entry import DefaultsEntry, Entry, Kebab, RetryEntry, Rules, Texts, UntilEntry
from xnai_validate.config.interpolate import Interpolator
from xnai_validate.config.invalid import wrongs
from xnai_validate.config.problems import Problems, Where
from xnai_validate.config.source import Source
from xnai_validate.kit import WRITTEN, Disturbance, Duration, Field
from xnai_validate.model.frozen import dataclass
from xnai_validate.model.json import JsonObject, JsonValue


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
    """A check with the place where it is written."""

    entry: CheckEntry
    where: Where
    line: int
    raw_with: JsonValue
    """Its `with`, interpolated but not verified."""
    missing_values: bool
    """Whether it refers to something that has no value on this stack."""


@dataclass(frozen=True, slots=True)
class Suite:
    """A suite that was read; checks with mistakes are left out, their mistakes noted."""

    name: str
    """`<category>/<suite>`."""
    head: SuiteHead
    checks: Mapping[str, WrittenCheck]
    """By full id, in the order of the file."""
    ids: frozenset[str]
    """All full ids of the file, also of the checks that were left out."""
    where: Where

    @property
    def category(self) -> str:
        """The folder it lies in."""
        return self.name.partition("/")[0]


def read_suite(name: str, source: Source, interpolator: Interpolator, problems: Problems) -> Suite | None:
    """The suite of a file; None where not even its head can be read."""
    whole = Where(source)
    if not isinstance(source.value, dict):
        problems.at(whole, "a suite is a mapping with title and checks")
        return None
    raw = {key: value for key, value in source.value.items() if key != "checks"}
    if source.templated:
        found = interpolator.value(raw, whole)
        raw = found if isinstance(found, dict) else raw
    try:
        head = SuiteHead.model_validate(raw, context=WRITTEN)
    except ValueError as error:
        for wrong in wrongs(error, raw, SuiteFile, "a suite"):
            problems.at(whole.at(*wrong.steps), wrong.message, wrong.hint, key=wrong.key)
        head = SuiteHead.model_construct(title=name)
    checks = source.value.get("checks")
    if not isinstance(checks, list) or not checks:
        problems.at(whole.at("checks"), "a suite has a list of checks")
        return None
    written = _checks(checks, source, interpolator, problems)
    ids = (full_id(name, str(item["id"])) for item in checks if isinstance(item, dict) and "id" in item)
    return Suite(name, head, {full_id(name, one.entry.id): one for one in written}, frozenset(ids), whole)


def _checks(raw: list[JsonValue], source: Source, interpolator: Interpolator, problems: Problems) -> list[WrittenCheck]:
    found: list[WrittenCheck] = []
    ids: dict[str, int] = {}
    templated = source.templated
    for index, item in enumerate(raw):
        here = Where(source, ("checks", index))
        value, missing = item, 0
        if templated:
            missing = interpolator.missing_values
            value = interpolator.value(item, here)
            missing = interpolator.missing_values - missing
        entry = _entry(value, here, problems)
        if entry is None or not isinstance(value, dict):
            continue
        line = source.line_of(item)
        if entry.id in ids:
            problems.at(here.at("id"), f'the id "{entry.id}" stands in this suite twice, first in line {ids[entry.id]}')
            continue
        ids[entry.id] = line
        found.append(WrittenCheck(entry, here, line, value.get("with", {}), missing > 0))
    return found


def _entry(value: JsonValue, where: Where, problems: Problems) -> CheckEntry | None:
    try:
        return CheckEntry.model_validate(value, context=WRITTEN)
    except ValueError as error:
        for wrong in wrongs(error, value, CheckEntry, "a check"):
            problems.at(where.at(*wrong.steps), wrong.message, wrong.hint, key=wrong.key)
        return None


def need_ids(suite: Suite, written: WrittenCheck) -> tuple[str, ...]:
    """The full ids in the `needs` of a check itself."""
    return tuple(full_id(suite.name, need) for need in written.entry.needs)


def full_id(suite: str, need: str) -> str:
    """A need as a full id: one without a suite is of the same suite."""
    return need if ":" in need else f"{suite}:{need}"
