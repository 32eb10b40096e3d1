"""The success criteria of a run, and the limits on what it may use."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from typing import Any

from xnai_validate.config.compile.profile_chain import Profile
from xnai_validate.config.files.profile import HostMemoryEntry, LimitsEntry
from xnai_validate.config.options import LoadOptions
from xnai_validate.config.yaml_files.problems import Problems, Where
from xnai_validate.model.json import JsonValue
from xnai_validate.model.judging.rules import parse_rules
from xnai_validate.model.results.report import COUNTS, Criterion
from xnai_validate.model.suggestions import did_you_mean
from xnai_validate.plan import HostMemory, Limits, PlannedCheck

CATEGORIES = (
    "services", "api", "breakers", "health", "streaming", "performance", "errors", "dependencies", "rag", "vikunja",
    "voice", "resources", "recovery", "alerts", "environment",
)  # fmt: skip
"""The categories that a criterion may name before there are checks in them."""

CONSENT_KEY = "allow"
"""A key beside the counts of a criterion: the consent without which its checks are skipped."""
ALLOWABLE = ("disruptive",)


def criteria_of(
    profiles: Iterable[Profile], categories: Iterable[str], allowed: Collection[str], problems: Problems
) -> tuple[Criterion, ...]:
    """The success criteria; later profiles replace those of the same category and count.

    A criterion that needs a consent that is not among `allowed` is kept, with the reason why it is not judged.
    """
    merged: dict[str, dict[str, tuple[JsonValue, Where]]] = {}
    refused: dict[str, str | None] = {}
    scopes = {"total", *CATEGORIES, *categories}
    for profile in profiles:
        for scope, counts in profile.file.criteria.items():
            where = profile.where.at("criteria", scope)
            if scope not in scopes:
                problems.at(where, f'unknown category "{scope}"', did_you_mean(scope, scopes), key=True)
            if CONSENT_KEY in counts:
                refused[scope] = _refusal(counts[CONSENT_KEY], allowed, where.at(CONSENT_KEY), problems)
            counts = {name: rule for name, rule in counts.items() if name != CONSENT_KEY}
            if not counts:
                problems.at(where, f"the criterion of {scope} is empty", f"counts: {', '.join(COUNTS)}", key=True)
            merged.setdefault(scope, {}).update({name: (rule, where.at(name)) for name, rule in counts.items()})
    criteria = []
    for scope, rules in merged.items():
        for name, (spec, where) in rules.items():
            parsed, errors = parse_rules({name: spec}, COUNTS, kind="a criterion")
            for error in errors:
                message = error.message.replace("unknown fact", "unknown count")
                problems.at(where.at(*error.path[1:]), message, error.hint)
            criteria += [Criterion(scope=scope, rule=rule, not_judged=refused.get(scope)) for rule in parsed]
    return tuple(criteria)


def within_reach(criteria: Iterable[Criterion], checks: Sequence[PlannedCheck]) -> tuple[Criterion, ...]:
    """Return the criteria; those that this stack cannot meet because checks are skipped get a reason why not judged.

    Such a criterion requires more passed checks than apply: a check that needs a skipped one does not apply either. A
    criterion that requires more checks than the profile has is an error of the profile, and is judged as it is.
    """
    skipped = {check.id for check in checks if check.skip is not None}
    for check in checks:  # every check comes after those that it needs, so one pass is enough
        if not skipped.isdisjoint(check.needs):
            skipped.add(check.id)
    judged = []
    for criterion in criteria:
        ids = [check.id for check in checks if criterion.scope in ("total", check.info.category)]
        applicable = sum(check_id not in skipped for check_id in ids)
        rule = criterion.rule
        at_least = rule.operand if rule.fact == "passed" and rule.operator == "min" and not rule.negated else None
        if criterion.not_judged is None and isinstance(at_least, int | float) and applicable < at_least <= len(ids):
            criterion = replace(criterion, not_judged=f"{applicable} of its {len(ids)} checks apply to this stack")
        judged.append(criterion)
    return tuple(judged)


def _refusal(consent: JsonValue, allowed: Collection[str], where: Where, problems: Problems) -> str | None:
    """Why a criterion cannot be judged with the consents in `allowed`; None if it can."""
    if consent not in ALLOWABLE:
        problems.at(where, f"a criterion presupposes one of: {', '.join(ALLOWABLE)}", "allow: disruptive")
        return None
    return None if consent in allowed else f"needs --allow {consent}"


def limits_of(profiles: Iterable[Profile], options: LoadOptions, problems: Problems) -> Limits:
    """The limits of the run; later profiles replace what they name, the command line replaces all.

    A deadline that is not given is 0; it follows from the checks.
    """
    named: dict[str, Any] = {}
    memory: dict[str, Any] = {}
    where = Where(None)
    for profile in profiles:
        limits = profile.file.limits
        named |= {name: getattr(limits, name) for name in limits.model_fields_set}
        host = limits.host_memory_percent
        memory |= {name: getattr(host, name) for name in host.model_fields_set}
        if host.model_fields_set:
            where = profile.where.at("limits", "host_memory_percent")
    host = HostMemoryEntry.model_validate(memory)
    if host.warn > host.stop:
        problems.at(where, f"warn {host.warn:g} is above stop {host.stop:g}", "new load ends first, then the run")
    entry = LimitsEntry.model_construct(**named)
    deadline_s = options.deadline_s or entry.deadline
    return Limits(
        concurrency=options.concurrency or entry.concurrency,
        per_target=entry.per_target,
        deadline_s=deadline_s,
        deadline_is_given=deadline_s > 0,
        host_memory_percent=HostMemory(host.warn, host.stop),
        own_memory_mib=entry.own_memory / 2**20,
    )
