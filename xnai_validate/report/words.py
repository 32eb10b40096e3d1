"""What of a check's findings is told, and lists and counts of checks in words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from xnai_validate.model.judging.finding_text import sentence
from xnai_validate.model.judging.rules import Finding
from xnai_validate.model.results.report import CheckResult, CriterionResult
from xnai_validate.model.results.status import Status


def told_of(check: CheckResult) -> list[Finding]:
    """The findings that say why a check does not pass: for a warning those of its `warn` rules."""
    return telling(check.findings, "warn" if check.status is Status.WARN else "expect")


def telling(findings: Sequence[Finding], level: str) -> list[Finding]:
    """The findings that say why a check does not hold: those not held; the one about `error` alone where there is one.

    Without an answer nothing else could be measured, so that the other rules only repeat it. A fact that is missing is
    told once, however many rules it has.
    """
    broken = [one for one in findings if not one.held and one.level == level]
    missing: set[str] = set()
    told = []
    for one in [one for one in broken if one.fact == "error"] or broken:
        if one.actual is None and one.fact in missing:
            continue
        if one.actual is None:
            missing.add(one.fact)
        told.append(one)
    return told


def rest_of_sentence(finding: Finding, facts: Mapping[str, object]) -> str:
    """What is told of a finding after the name of its fact: `expected 200, measured 503`."""
    return sentence(finding, facts).removeprefix(f"{finding.fact}: ")


def said(check: CheckResult) -> str:
    """Why a check does not pass, where no finding tells it."""
    if check.status is Status.FLAKY:
        return f"did not hold at first, held at attempt {check.attempts}"
    return check.reason or "no reason was given"


def counted(count: int, one: str, many: str | None = None) -> str:
    """`1 check`, `2 checks`."""
    return f"{count} {one if count == 1 else many or one + 's'}"


def listed(ids: Iterable[str], most: int = 60) -> str:
    """Check ids, those of one suite together: `api/health: ready, version; api/query: answers`; at most `most`."""
    all_ids = list(ids)
    suites: dict[str, list[str]] = {}
    for check_id in all_ids[:most]:
        suite, _, name = check_id.partition(":")
        suites.setdefault(suite, []).append(name)
    text = "; ".join(f"{suite}: {', '.join(names)}" if names != [""] else suite for suite, names in suites.items())
    rest = len(all_ids) - most
    return f"{text}; and {rest} more" if rest > 0 else text


def met_in_words(one: CriterionResult) -> str:
    """`met`, `not met`, or why a criterion was not judged."""
    if one.not_judged is not None:
        return f"not judged: {one.not_judged}"
    return "met" if one.met else "not met"


def in_words(planned: str) -> str:
    """What a criterion plans: `at least 20` of `min 20`, `0` of `equals 0`."""
    return planned.replace("min ", "at least ").replace("max ", "at most ").removeprefix("equals ")
