"""From a check as it is written in a suite to a `PlannedCheck`."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace

from xnai_validate.config.compile.measurements.measurements import Measurements
from xnai_validate.config.compile.promises import Promises
from xnai_validate.config.compile.selection.conditions import Conditions
from xnai_validate.config.compile.selection.consent import Consent
from xnai_validate.config.compile.selection.vantage import Vantage
from xnai_validate.config.compile.selection.waivers import Waivers
from xnai_validate.config.compile.thresholds import Thresholds
from xnai_validate.config.compile.variables.interpolation import Interpolator
from xnai_validate.config.files.defaults import DefaultsEntry, RetryEntry, UntilEntry
from xnai_validate.config.files.suite import CheckEntry, SuiteHead
from xnai_validate.config.yaml_files.document import Source
from xnai_validate.config.yaml_files.problems import Problems, Where
from xnai_validate.model.error_kind import ErrorKind
from xnai_validate.model.json import JsonValue, texts_named
from xnai_validate.model.judging.rules import Rule
from xnai_validate.model.results.fixes import OTHERWISE
from xnai_validate.model.results.report import CheckInfo
from xnai_validate.model.results.report import Source as SourceLine
from xnai_validate.model.results.severity import default_severity
from xnai_validate.model.suggestions import did_you_mean
from xnai_validate.plan import ONCE, CompiledMeasurement, PlannedCheck, PlannedFault, PlannedTarget, Retry, Until

_MARK = "if_configured"
"""Marks a part of a check's `with` that is left out where this stack does not have its target."""


@dataclass(frozen=True, slots=True)
class CheckSource:
    """A check as it is written."""

    entry: CheckEntry
    raw_with: JsonValue
    """Its `with`: interpolated, not validated."""
    missing_values: bool
    """Whether it refers to something that has no value on this stack."""


@dataclass(slots=True)
class Suite:
    """A suite that was read; checks with errors are left out, and the errors are noted."""

    name: str
    """`<category>/<suite>`."""
    category: str
    """The folder of the file."""
    head: SuiteHead
    source: Source
    interpolator: Interpolator
    """Knows the vars, and the parameters of a recipe."""
    positions: dict[str, int] = field(default_factory=dict)
    """Full id -> index in the list of checks, in order; also of the checks that were left out."""
    unplanned: dict[str, CheckSource] = field(default_factory=dict)
    """By full id, the checks that are not planned yet: of thousands, no more is kept than is needed."""
    shared_needs: tuple[str, ...] = ()
    """The needs of the whole suite as full ids."""
    shared_after: tuple[str, ...] = ()
    """The checks that end before all others of the suite, as full ids."""
    exempt: frozenset[str] = frozenset()
    """The ids of its checks that the shared needs and order do not concern."""

    @property
    def where(self) -> Where:
        """The whole file."""
        return Where(self.source)

    def where_of(self, check_id: str) -> Where:
        """The place of a check."""
        return Where(self.source, ("checks", self.positions[check_id]))

    def line_of(self, check_id: str) -> int:
        """The first line of a check."""
        return self.source.line_of("checks", self.positions[check_id])

    def find_shared_needs(self) -> None:
        """Set `shared_needs`, `shared_after` and `exempt`, once all checks are read.

        The needed checks themselves, and what they need in turn, are exempt: a check cannot wait for itself.
        """
        self.shared_needs = tuple(full_id(self.name, need) for need in self.head.needs)
        self.shared_after = tuple(full_id(self.name, need) for need in self.head.after)
        exempt: set[str] = set()
        pending = [need for need in (*self.shared_needs, *self.shared_after) if need in self.unplanned]
        while pending:
            check_id = pending.pop()
            if check_id not in exempt:
                exempt.add(check_id)
                entry = self.unplanned[check_id].entry
                needs = (full_id(self.name, need) for need in (*entry.needs, *entry.after))
                pending += [need for need in needs if need in self.unplanned]
        self.exempt = frozenset(exempt)


@dataclass(frozen=True, slots=True)
class Checks:
    """Plans checks: what they measure, when they run, and why they are skipped."""

    measurements: Measurements
    conditions: Conditions
    problems: Problems
    targets: Mapping[str, PlannedTarget]
    defaults: DefaultsEntry
    """The defaults that the profiles set for all suites."""
    consent: Consent
    vantage: Vantage
    thresholds: Thresholds
    promises: Promises
    waivers: Waivers

    def plan(self, suite: Suite, check_id: str, source: CheckSource) -> PlannedCheck | None:
        """One check, ready to be measured; None if it has errors, which are noted."""
        entry, here, where = source.entry, suite.head.defaults, suite.where_of(check_id)
        target = entry.target or here.target or self.defaults.target
        when = None
        if entry.when is not None:
            when = self.conditions.skip_reason(entry.when, suite.interpolator, where.at("when"))
        measurement = self._compile_measurement(source, check_id, target, where, skipped=when is not None)
        if measurement is not None:
            self._verify_targets(measurement, where)
        names = entry if entry.promise or entry.practice else here
        promise = self.promises.named(names.promise, names.practice, where)
        if measurement is not None and self.promises.warns(promise):
            measurement = replace(measurement, rules=_turn_into_warnings(measurement.rules, entry.expect or {}))
        if entry.retry is not None and entry.until is not None:
            self.problems.at(where.at("until"), "a check has retry or until, not both", key=True)
        planned = [
            self.measurements.fault(fault, target, where.at("under", index)) for index, fault in enumerate(entry.under)
        ]
        under = tuple(fault for fault in planned if fault is not None)
        if measurement is None or len(under) < len(planned):
            return None
        faults = (*under, *measurement.faults)
        disruptive = entry.disruptive or bool(faults)
        default = here.from_ or self.defaults.from_
        vantage: tuple[str, ...] = ()
        if entry.from_ or default:
            vantage = self.vantage.of(entry.from_, default, measurement, where, disruptive=disruptive)
        until = entry.until or (None if entry.retry else here.until or self.defaults.until)
        retry = entry.retry or here.retry or self.defaults.retry
        fixes = self._fixes(entry.fix, measurement, where)
        tags = _without_repeats(self.defaults.tags, here.tags, entry.tags)
        severity = entry.severity or here.severity or self.defaults.severity
        needs, after = ((), ()) if check_id in suite.exempt else (suite.shared_needs, suite.shared_after)
        return PlannedCheck(
            info=CheckInfo(
                id=check_id,
                title=entry.title,
                category=suite.category,
                kind=entry.kind,
                target=target,
                tags=tags,
                covers=_without_repeats(suite.head.covers, self.defaults.covers, here.covers, entry.covers),
                fix=fixes.get(OTHERWISE) or here.fix or self.defaults.fix,
                fixes={key: text for key, text in fixes.items() if key != OTHERWISE} or None,
                source=SourceLine(file=suite.source.file, line=suite.line_of(check_id)),
                disruptive=disruptive,
                promise=promise,
                waiver=self.waivers.of(check_id),
                faults=tuple(dict.fromkeys(f"{fault.fault.name} {fault.target or 'host'}" for fault in faults)),
                severity=severity
                or default_severity(suite.category, tags, practice=promise is not None and promise.practice),
            ),
            measurement=measurement,
            needs=_without_repeats(needs, tuple(full_id(suite.name, need) for need in entry.needs)),
            after=_without_repeats(after, tuple(full_id(suite.name, need) for need in entry.after)),
            retry=_compile_retry(None if until else retry),
            until=Until(until.within, until.every) if until else None,
            timeout_s=_first_given(entry.timeout, here.timeout, self.defaults.timeout) or measurement.time_limit_s,
            exclusive=entry.exclusive or bool(entry.together) or disruptive or measurement.checker.exclusive,
            together=None if disruptive else entry.together,
            under=under,
            skip=when
            or self.consent.refused(disruptive, faults)
            or self._not_configured(measurement, faults)
            or self.vantage.skip_reason(vantage),
            vantage=vantage,
        )

    def _fixes(
        self, fix: str | dict[str, str] | None, measurement: CompiledMeasurement, where: Where
    ) -> dict[str, str]:
        """What to do by the kind of error or the fact; under `otherwise` what to do about all else."""
        if not isinstance(fix, dict):
            return {OTHERWISE: fix} if fix else {}
        known = (*ErrorKind, *measurement.checker.types, OTHERWISE)
        for key in fix:
            if key not in known:
                message = f'"{key}" is neither a kind of error nor a fact of {measurement.checker.kind}'
                self.problems.at(where.at("fix", key), message, did_you_mean(key, known), key=True)
        return fix

    def _compile_measurement(
        self, source: CheckSource, check_id: str, target: str | None, where: Where, *, skipped: bool
    ) -> CompiledMeasurement | None:
        """Compile the measurement of a check; None if it has errors, which are noted.

        The params of a check that is `skipped` on this stack may lack values: then they are not validated.
        """
        entry = source.entry
        if not (skipped and source.missing_values):
            tightened = self.thresholds.rules_of(check_id, entry.kind)
            params = configured_parts(source.raw_with, configured_targets(self.targets))
            if params != source.raw_with:  # what this stack lacks is verified all the same
                self.measurements.compile(entry.kind, source.raw_with, entry.expect, entry.warn, target, where)
            return self.measurements.compile(
                entry.kind, params, entry.expect, entry.warn, target, where, tightened=tightened
            )
        # The check is not meant for this stack and refers to vars without a value here: its params cannot be validated.
        checker = self.measurements.checker(entry.kind, where.at("kind"))
        return CompiledMeasurement(checker, checker.params.model_construct(), (), target) if checker else None

    def _verify_targets(self, measurement: CompiledMeasurement, where: Where) -> None:
        """Note an error where a target's url is not of the protocol that the measurement, or a part of it, speaks."""
        planned = self.targets.get(measurement.target or "")
        params = measurement.params
        if planned is not None and type(params).model_fields.keys() <= params.__dict__.keys():
            try:
                params.verify_target(planned.target)
            except ValueError as error:
                kind = measurement.checker.kind
                self.problems.at(where, f"{kind} cannot be asked of the target {planned.target.name}: {error}")
        for observed in measurement.observations.values():
            self._verify_targets(observed, where)

    def _not_configured(self, measurement: CompiledMeasurement, faults: tuple[PlannedFault, ...]) -> str | None:
        """Why the check is skipped if a target of it is not configured."""
        needed = [measurement.target] if measurement.checker.needs_target else []
        needed += [fault.target for fault in faults]
        for name in needed:
            planned = self.targets.get(name) if name else None
            if planned is None:
                continue
            target = planned.target
            if not (target.url or target.container or target.pid):
                return f"target {target.name} is not configured"
        return None


def configured_parts(value: JsonValue, configured: Collection[str]) -> JsonValue:
    """Return `value` without the marked mappings that name a target outside `configured`, at any depth.

    A marked mapping names the targets of its own `target` and of those within it. An entry of a list is removed, the
    key of a mapping likewise. `value` itself is returned if it has no marks.
    """
    if isinstance(value, dict):
        return {
            name: configured_parts(item, configured)
            for name, item in value.items()
            if not _names_missing_target(item, configured)
        }
    if isinstance(value, list):
        return [configured_parts(item, configured) for item in value if not _names_missing_target(item, configured)]
    return value


def configured_targets(targets: Mapping[str, PlannedTarget]) -> frozenset[str]:
    """The names of the targets that this stack has: with a url, a container or a process."""
    found = ((name, planned.target) for name, planned in targets.items())
    return frozenset(name for name, target in found if target.url or target.container or target.pid)


def _names_missing_target(item: JsonValue, configured: Collection[str]) -> bool:
    """Whether a list item is marked to be left out and names a target that is not configured."""
    marked = isinstance(item, dict) and item.get(_MARK) is True
    return marked and any(name not in configured for name in texts_named("target", item))


def full_id(suite: str, need: str) -> str:
    """A need as a full id: one without a suite belongs to the same suite."""
    return need if ":" in need else f"{suite}:{need}"


def _turn_into_warnings(rules: tuple[Rule, ...], expect: Collection[str]) -> tuple[Rule, ...]:
    """Return the rules with those about facts that the check expects as warnings; the kind's own rules stay."""
    return tuple(replace(rule, level="warn") if rule.fact in expect else rule for rule in rules)


def _without_repeats(*lists: tuple[str, ...]) -> tuple[str, ...]:
    """Join lists into one, each item once, in the order of their first places."""
    return tuple(dict.fromkeys(item for items in lists for item in items))


def _first_given(*timeouts: float | None) -> float | None:
    """Return the first timeout that is not None; None if all are."""
    return next((timeout for timeout in timeouts if timeout is not None), None)


def _compile_retry(entry: RetryEntry | None) -> Retry:
    """Return how often a check is repeated: as its entry describes, else once."""
    return Retry(entry.attempts, entry.delay) if entry else ONCE


def with_wait(check: PlannedCheck, within_s: float) -> PlannedCheck:
    """The check, repeated until it holds for at least `within_s` seconds."""
    every = check.until.every_s if check.until else UntilEntry.model_fields["every"].default
    longest = max(within_s, check.until.within_s if check.until else 0.0)
    return replace(check, until=Until(longest, every), retry=ONCE)
