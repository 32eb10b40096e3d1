"""Short texts that every format uses: the findings of a check, its promise, criteria."""

from __future__ import annotations

from collections.abc import Mapping

from xnai_validate.model.judging.findings import Finding, describe_finding
from xnai_validate.model.results.causes import broken_findings
from xnai_validate.model.results.report import CheckResult, CriterionResult
from xnai_validate.model.results.status import Status
from xnai_validate.model.results.vantage import describe_vantage


def broken_rules(check: CheckResult) -> list[Finding]:
    """Return the findings that explain why a check does not pass; for a warning those of its `warn` rules."""
    expected = broken_findings(check.findings, "expect")
    warned = check.status is Status.WARN or (check.status is Status.WAIVED and not expected)
    return broken_findings(check.findings, "warn") if warned else expected


def expected_and_got(finding: Finding, facts: Mapping[str, object]) -> str:
    """Return the sentence of a finding without the name of its fact: `expected 200, got 503`."""
    return describe_finding(finding, facts).removeprefix(f"{finding.fact}: ")


def reason_of(check: CheckResult) -> str:
    """Return why a check does not pass, for a check without broken rules."""
    if check.reason:
        return check.reason
    if check.status is Status.FLAKY:
        return f"passed at attempt {check.attempts}"
    return "no reason was given"


def promise_of(check: CheckResult) -> tuple[str, str] | None:
    """Return the label `promise` or `practice` and its text, for a check that does not pass; else None.

    The text is `services.ports: Every configured service listens on its port. Source: docker-compose.yml`.
    """
    promise = check.promise
    if promise is None or check.status not in (Status.FAIL, Status.WARN, Status.WAIVED):
        return None
    return "practice" if promise.practice else "promise", f"{promise.id}: {promise.text} Source: {promise.source}"


def places_of(check: CheckResult) -> str | None:
    """Return where a check passes and where it does not, for one with broken rules that was measured from places.

    None for others: the reason of a check without broken rules, which every format shows then, has that itself.
    """
    if check.status is Status.PASS or not check.vantage or not broken_rules(check):
        return None
    return describe_vantage(check.vantage)


def waiver_of(check: CheckResult) -> str | None:
    """Return the waiver of a check that does not pass: `until 2026-12-31 (ops): known leak`; None without one."""
    waiver = check.waiver
    if waiver is None or check.status.passed or check.status is Status.SKIP:
        return None
    when = f"expired on {waiver.until}" if waiver.expired else f"until {waiver.until}"
    return f"{when} ({waiver.owner}): {waiver.reason}"


def met_text(criterion: CriterionResult) -> str:
    """Return `met`, `not met`, or why a criterion was not judged."""
    if criterion.not_judged is not None:
        return f"not judged: {criterion.not_judged}"
    return "met" if criterion.met else "not met"


def planned_text(planned: str) -> str:
    """Return what a criterion plans in words: `at least 20` for `min 20`, `0` for `equals 0`."""
    return planned.replace("min ", "at least ").replace("max ", "at most ").removeprefix("equals ")
