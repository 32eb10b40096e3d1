"""What a profile demands beyond the checks themselves: thresholds, success criteria and limits."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from fnmatch import translate
from typing import Any

from xnai_validate.config.compile.measurements import Measurements, by_fact
from xnai_validate.config.compile.profile_chain import Profile
from xnai_validate.config.files.profile import HostMemoryEntry, LimitsEntry
from xnai_validate.config.options import LoadOptions
from xnai_validate.config.yaml_files.problems import Problems, Where
from xnai_validate.model.json import JsonObject, JsonValue
from xnai_validate.model.judging.rule_parsing import parse_rules
from xnai_validate.model.results.report import Criterion
from xnai_validate.model.results.report_builder import COUNTS
from xnai_validate.model.suggestions import did_you_mean
from xnai_validate.plan import HostMemory, Limits, PlannedCheck

CATEGORIES = (
    "services", "api", "breakers", "health", "streaming", "performance", "errors", "dependencies", "rag", "vikunja",
    "voice", "resources", "recovery", "alerts", "environment",
)  # fmt: skip
"""The categories that a criterion may name before there are checks in them."""

PRESUPPOSES = "allow"
"""What stands beside the counts of a criterion: the consent without which its checks are skipped."""
ALLOWABLE = ("disruptive",)


@dataclass(frozen=True, slots=True)
class Threshold:
    """Rules for all checks whose id matches a glob."""

    glob: str
    rules: JsonObject
    where: Where
    named: bool
    """Whether it stands in a profile of the command line; one that is taken over may be about suites that are not."""


def thresholds_of(profiles: Iterable[Profile]) -> tuple[Threshold, ...]:
    """All thresholds, those of later profiles last."""
    return tuple(
        Threshold(glob, rules, profile.where.at("thresholds", glob), profile.link.named)
        for profile in profiles
        for glob, rules in profile.file.thresholds.items()
    )


def apply_thresholds(
    checks: Iterable[PlannedCheck], thresholds: Iterable[Threshold], measurements: Measurements, problems: Problems
) -> tuple[PlannedCheck, ...]:
    """The checks with their `expect` rules replaced, fact by fact, where a threshold is about the fact."""
    found = tuple(checks)
    for threshold in thresholds:
        found = _apply(found, threshold, measurements, problems)
    return found


def _apply(
    checks: tuple[PlannedCheck, ...], threshold: Threshold, measurements: Measurements, problems: Problems
) -> tuple[PlannedCheck, ...]:
    matches = re.compile(translate(threshold.glob)).match
    matched = [check for check in checks if matches(check.id)]
    if not matched:
        if threshold.named:
            hint = did_you_mean(threshold.glob, [check.id for check in checks])
            problems.at(threshold.where, f'the threshold "{threshold.glob}" matches no check', hint, key=True)
        return checks
    known = {fact for check in matched for fact in check.measurement.checker.types}
    for fact in threshold.rules:
        if fact not in known:
            kinds = ", ".join(sorted({check.info.kind for check in matched}))
            hint = did_you_mean(fact, known)
            problems.at(threshold.where.at(fact), f'unknown fact "{fact}" of {kinds}', hint, key=True)
    if not threshold.rules:
        problems.at(threshold.where, "the threshold has no rules", key=True)
    return tuple(_tightened(check, threshold, measurements) if matches(check.id) else check for check in checks)


def _tightened(check: PlannedCheck, threshold: Threshold, measurements: Measurements) -> PlannedCheck:
    checker = check.measurement.checker
    wanted = {fact: rule for fact, rule in threshold.rules.items() if fact in checker.types}
    new = measurements.parse(checker, wanted, threshold.where)
    if not new:
        return check
    before = check.measurement
    expect = by_fact(tuple(rule for rule in before.rules if rule.level == "expect")) | new
    warn = (rule for rule in before.rules if rule.level == "warn")
    rules = (*(rule for of_fact in expect.values() for rule in of_fact), *warn)
    return replace(check, measurement=replace(before, rules=rules))


def criteria_of(
    profiles: Iterable[Profile], categories: Iterable[str], allowed: Collection[str], problems: Problems
) -> tuple[Criterion, ...]:
    """The success criteria; later profiles replace those of the same category and count.

    One that presupposes what is not `allowed` is kept, and says why it is not judged.
    """
    merged: dict[str, dict[str, tuple[JsonValue, Where]]] = {}
    refused: dict[str, str | None] = {}
    scopes = {"total", *CATEGORIES, *categories}
    for profile in profiles:
        for scope, counts in profile.file.criteria.items():
            where = profile.where.at("criteria", scope)
            if scope not in scopes:
                problems.at(where, f'unknown category "{scope}"', did_you_mean(scope, scopes), key=True)
            if PRESUPPOSES in counts:
                refused[scope] = _refusal(counts[PRESUPPOSES], allowed, where.at(PRESUPPOSES), problems)
            counts = {name: rule for name, rule in counts.items() if name != PRESUPPOSES}
            if not counts:
                problems.at(where, f"the criterion of {scope} is empty", f"counts: {', '.join(COUNTS)}", key=True)
            merged.setdefault(scope, {}).update({name: (rule, where.at(name)) for name, rule in counts.items()})
    found = []
    for scope, rules in merged.items():
        for name, (rule, where) in rules.items():
            parsed, mistakes = parse_rules({name: rule}, COUNTS, kind="a criterion")
            for mistake in mistakes:
                message = mistake.message.replace("unknown fact", "unknown count")
                problems.at(where.at(*mistake.path[1:]), message, mistake.hint)
            found += [Criterion(scope=scope, rule=one, not_judged=refused.get(scope)) for one in parsed]
    return tuple(found)


def _refusal(presupposed: JsonValue, allowed: Collection[str], where: Where, problems: Problems) -> str | None:
    """Why a criterion cannot be judged where `allowed` is all that is allowed; None where it can."""
    if presupposed not in ALLOWABLE:
        problems.at(where, f"a criterion presupposes one of: {', '.join(ALLOWABLE)}", "allow: disruptive")
        return None
    return None if presupposed in allowed else f"needs --allow {presupposed}"


def limits_of(profiles: Iterable[Profile], options: LoadOptions, problems: Problems) -> Limits:
    """What the run may take; later profiles replace what they name, the command line replaces all."""
    given: dict[str, Any] = {}
    memory: dict[str, Any] = {}
    where = Where(None)
    for profile in profiles:
        limits = profile.file.limits
        given |= {name: getattr(limits, name) for name in limits.model_fields_set}
        host = limits.host_memory_percent
        memory |= {name: getattr(host, name) for name in host.model_fields_set}
        if host.model_fields_set:
            where = profile.where.at("limits", "host_memory_percent")
    host = HostMemoryEntry.model_validate(memory)
    if host.warn > host.stop:
        problems.at(where, f"warn {host.warn:g} is above stop {host.stop:g}", "new load ends first, then the run")
    entry = LimitsEntry.model_construct(**given)
    return Limits(
        concurrency=options.concurrency or entry.concurrency,
        per_target=entry.per_target,
        deadline_s=options.deadline_s or entry.deadline,
        host_memory_percent=HostMemory(host.warn, host.stop),
        own_memory_mib=entry.own_memory / 2**20,
    )
