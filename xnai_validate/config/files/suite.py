"""The models of a suite file, `checks/<category>/<suite>.yaml`: the checks of one topic."""

from __future__ import annotations

from functools import cache
from typing import Annotated

from pydantic import ConfigDict, Field, StringConstraints, TypeAdapter
from pydantic.dataclasses import dataclass

from xnai_validate.config.files.defaults import DefaultsEntry, RetryEntry, UntilEntry
from xnai_validate.config.files.entry import Entry, Kebab, Places, Rules, Texts
from xnai_validate.kit import Duration, FaultEntry
from xnai_validate.model.json import JsonObject
from xnai_validate.model.results.severity import Severity

MatrixEntry = Annotated[
    dict[
        Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$")],
        Annotated[list[str | int | float | bool], Field(min_length=1, max_length=100)],
    ],
    Field(min_length=1, max_length=3),
]
"""Name -> values."""


@dataclass(frozen=True, slots=True, kw_only=True, config=ConfigDict(extra="forbid", defer_build=True))
class CheckEntry:
    """One check: what is measured, and the rules that judge it.

    A dataclass, since a suite may have thousands: with slots each takes an eighth of the memory of a model.
    """

    id: Kebab
    """Unique within the suite; the full id is `<category>/<suite>:<id>`."""
    title: Annotated[str, Field(min_length=1)]
    """The promise, as a sentence that is true when the check passes."""
    matrix: MatrixEntry | None = None
    """One check for each of these values, or for each combination of several lists: `{queue: [orders, mails]}` makes
    `id[orders]` and `id[mails]`, in which `${matrix.queue}` is the value; a list named `target` sets the target."""
    kind: str
    """The kind of check, such as `http.request`; `xnai-validate list kinds` has them all."""
    target: str | None = None
    """The part of the stack that is measured."""
    with_: JsonObject = Field(default_factory=dict, alias="with")
    """The parameters of the kind."""
    expect: Rules | None = None
    """Fact -> rule; a rule that does not hold fails the check."""
    warn: Rules | None = None
    """Fact -> rule; a rule that does not hold turns a pass into a warning."""
    needs: Texts = ()
    """Checks without which it cannot be measured: they must pass first; full ids, or ids within the suite."""
    after: Texts = ()
    """Checks that end first, whatever comes of them, where they run too: only the order, it is measured in any case."""
    retry: RetryEntry | None = None
    until: UntilEntry | None = None
    timeout: Duration | None = None
    """The time limit of one measurement, which fails if it takes longer; by default what its own waits may take."""
    promise: str | None = None
    """The promise of `contracts/*.yaml` that it verifies; a failure shows the promise and its source."""
    practice: str | None = None
    """The good practice that it verifies instead: not followed, the check warns; in a strict profile it fails."""
    tags: Texts = ()
    covers: Texts = ()
    """The requirements that it verifies, such as `KG-3`."""
    severity: Severity | None = None
    """How much a failure matters: critical, high, medium or low; by default it follows from tags, promise and
    category."""
    fix: str | dict[str, str] | None = None
    """What to do if it does not pass; or by the kind of error (`refused`, `tls` ...) or the fact, and `otherwise`."""
    exclusive: bool = False
    """It runs alone: no other check runs at the same time."""
    together: Kebab | None = None
    """It runs alone, but at the same time as the checks that name the same group, such as loads that are light."""
    disruptive: bool = False
    """It disturbs the stack: it runs alone, and only where `disruptive` is allowed."""
    under: tuple[FaultEntry, ...] = ()
    """Faults that are injected before it is measured and reverted afterwards; they make it disruptive."""
    from_: Places | None = Field(default=None, alias="from")
    """Where it is measured, and judged for each place: `workers` for each worker of `run --workers`, their names or
    resources, `local` for this process; by default by this process alone."""
    when: JsonObject | None = None
    """Var -> rule; the check is skipped if a rule does not hold, with that reason."""


@cache
def check_entries() -> TypeAdapter[CheckEntry]:
    """What validates the mapping of a check."""
    return TypeAdapter(CheckEntry)


class SuiteFile(Entry):
    """A file of checks about one topic."""

    title: Annotated[str, Field(min_length=1)]
    covers: Texts = ()
    """Added to the `covers` of every check."""
    needs: Texts = ()
    """Added to the `needs` of every check, except of the checks that are named here."""
    after: Texts = ()
    """Added to the `after` of every check, except of the checks that are named here."""
    defaults: DefaultsEntry = DefaultsEntry()
    checks: Annotated[tuple[CheckEntry, ...], Field(min_length=1)]


class SuiteHead(Entry):
    """A suite file without its checks."""

    title: str
    covers: Texts = ()
    needs: Texts = ()
    after: Texts = ()
    defaults: DefaultsEntry = DefaultsEntry()
