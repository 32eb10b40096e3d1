"""From the checks of a suite to `PlannedCheck` values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from xnai_validate.config.compile.conditions import Conditions
from xnai_validate.config.compile.consent import Consent
from xnai_validate.config.compile.measurements import Measurements
from xnai_validate.config.files.common import DefaultsEntry, RetryEntry, UntilEntry
from xnai_validate.config.files.suite import Suite, WrittenCheck, full_id, need_ids
from xnai_validate.config.yaml_files.problems import Problems, Where
from xnai_validate.model.results.report import CheckInfo, Source
from xnai_validate.plan import ONCE, Compiled, PlannedCheck, PlannedFault, PlannedTarget, Retry, Until

_TIMEOUT_S = 30.0


@dataclass(frozen=True, slots=True)
class Checks:
    """Plans checks: what they measure, when, and why not."""

    measurements: Measurements
    conditions: Conditions
    problems: Problems
    targets: Mapping[str, PlannedTarget]
    defaults: DefaultsEntry
    """What the profiles say for all suites."""
    consent: Consent

    def plan(
        self, suite: Suite, check_id: str, written: WrittenCheck, shared_needs: tuple[str, ...]
    ) -> PlannedCheck | None:
        """One check, ready to be measured; None where it has mistakes, which are noted."""
        entry, here, where = written.entry, suite.head.defaults, suite.where_of(check_id)
        target = entry.target or here.target or self.defaults.target
        when = self.conditions.skip_reason(entry.when, where.at("when")) if entry.when is not None else None
        measurement = self._measurement(written, target, where, skipped=when is not None)
        if entry.retry is not None and entry.until is not None:
            self.problems.at(where.at("until"), "a check has retry or until, not both", key=True)
        planned = [
            self.measurements.fault(one, target, where.at("under", place)) for place, one in enumerate(entry.under)
        ]
        under = tuple(one for one in planned if one is not None)
        if measurement is None or len(under) < len(planned):
            return None
        faults = (*under, *measurement.faults)
        disruptive = entry.disruptive or bool(faults)
        until = entry.until or (None if entry.retry else here.until or self.defaults.until)
        retry = entry.retry or here.retry or self.defaults.retry
        needs = tuple(dict.fromkeys((*shared_needs, *need_ids(suite, written))))
        return PlannedCheck(
            info=CheckInfo(
                id=check_id,
                title=entry.title,
                category=suite.category,
                kind=entry.kind,
                target=target,
                tags=_union(self.defaults.tags, here.tags, entry.tags),
                covers=_union(suite.head.covers, self.defaults.covers, here.covers, entry.covers),
                fix=entry.fix or here.fix or self.defaults.fix,
                source=Source(file=suite.source.file, line=suite.line_of(check_id)),
                disruptive=disruptive,
            ),
            measurement=measurement,
            needs=needs,
            retry=_retry(None if until else retry),
            until=Until(until.within, until.every) if until else None,
            timeout_s=_first(entry.timeout, here.timeout, self.defaults.timeout),
            exclusive=entry.exclusive or disruptive or measurement.checker.exclusive,
            under=under,
            skip=when or self.consent.refused(disruptive, faults) or self._skip(measurement, faults),
        )

    def _measurement(
        self, written: WrittenCheck, target: str | None, where: Where, *, skipped: bool
    ) -> Compiled | None:
        entry = written.entry
        if not (skipped and written.missing_values):
            return self.measurements.compile(entry.kind, written.raw_with, entry.expect, entry.warn, target, where)
        # What it refers to has no value on this stack, for which it is not meant: the params cannot be verified here.
        checker = self.measurements.checker(entry.kind, where.at("kind"))
        return Compiled(checker, checker.params.model_construct(), (), target) if checker else None

    def _skip(self, measurement: Compiled, faults: tuple[PlannedFault, ...]) -> str | None:
        needed = [measurement.target] if measurement.checker.needs_target else []
        needed += [one.target for one in faults]
        for name in needed:
            planned = self.targets.get(name) if name else None
            if planned is None:
                continue
            target = planned.target
            if not (target.url or target.container or target.pid):
                return f"target {target.name} is not configured"
        return None


def _union(*lists: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(item for items in lists for item in items))


def _first(*timeouts: float | None) -> float:
    return next((timeout for timeout in timeouts if timeout is not None), _TIMEOUT_S)


def _retry(entry: RetryEntry | None) -> Retry:
    return Retry(entry.attempts, entry.delay) if entry else ONCE


def shared_needs(suite: Suite) -> tuple[tuple[str, ...], frozenset[str]]:
    """The needs of a whole suite as full ids, and the ids of its checks that they do not concern.

    Those are the needed checks themselves and what they need in turn: a check cannot wait for itself.
    """
    needs = tuple(full_id(suite.name, need) for need in suite.head.needs)
    own = {check_id: need_ids(suite, one) for check_id, one in suite.unplanned.items()} if needs else {}
    exempt: set[str] = set()
    open_ = [need for need in needs if need in own]
    while open_:
        check = open_.pop()
        if check not in exempt:
            exempt.add(check)
            open_ += [need for need in own[check] if need in own]
    return needs, frozenset(exempt)


def with_wait(check: PlannedCheck, within_s: float) -> PlannedCheck:
    """The check, measured again for at least so long until it holds."""
    every = check.until.every_s if check.until else UntilEntry.model_fields["every"].default
    longest = max(within_s, check.until.within_s if check.until else 0.0)
    return replace(check, until=Until(longest, every), retry=ONCE)
