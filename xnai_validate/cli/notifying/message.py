"""The JSON document that a webhook receives: what changed in a run, with the evidence of what broke."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from xnai_validate.cli.repeating.changes import Changes, CheckChange
from xnai_validate.model.results.exchange import Exchange, last_request
from xnai_validate.model.results.report import Verdict
from xnai_validate.model.results.status import Status
from xnai_validate.report.evidence import evidence_lines
from xnai_validate.report.verdict_text import counts_sentence, verdict_reason, verdict_word
from xnai_validate.report.words import broken_rules, expected_and_got, reason_of

WITH_EVIDENCE = 20
"""Checks of each list that a message holds; `more` counts the rest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangedCheck:
    """A check that broke or recovered."""

    id: str
    title: str
    target: str | None
    status: Status
    before: Status | None
    reason: str | None
    fix: str | None
    evidence: tuple[str, ...]
    """Lines such as `asked: GET http://127.0.0.1:8000/health`."""
    exchange: Exchange | None
    """The request and the response that the failure rests on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeMessage:
    """What changed."""

    format: Literal["xnai-validate/change/1"] = "xnai-validate/change/1"
    run: str
    """The id of the run; with it, a receiver recognizes a message that came twice."""
    title: str
    profiles: tuple[str, ...]
    host: str | None
    verdict: Verdict
    before: Verdict | None
    """The verdict of the run before; null without one."""
    exit_code: int
    text: str
    """The change in one sentence."""
    counts: str
    broken: tuple[ChangedCheck, ...]
    recovered: tuple[ChangedCheck, ...]
    more: int
    """Checks that broke or recovered and are not listed."""


def message_of(changes: Changes) -> ChangeMessage:
    """Return the message about a run. Its texts are masked, for they come from the report."""
    report = changes.report
    broken, recovered = changes.broken, changes.recovered
    name = report.run.host.get("name")
    return ChangeMessage(
        run=report.run.id,
        title=report.run.title,
        profiles=report.run.profiles,
        host=name if isinstance(name, str) else None,
        verdict=report.verdict,
        before=changes.before,
        exit_code=report.exit_code,
        text=_summarize_run(changes),
        counts=counts_sentence(report),
        broken=tuple(map(_describe_change, broken[:WITH_EVIDENCE])),
        recovered=tuple(map(_describe_change, recovered[:WITH_EVIDENCE])),
        more=max(0, len(broken) - WITH_EVIDENCE) + max(0, len(recovered) - WITH_EVIDENCE),
    )


def text_of(message: ChangeMessage) -> str:
    """Return the message as plain text, for services that show a title and a text."""
    lines = [message.text, message.counts]
    for word, checks in (("broken", message.broken), ("recovered", message.recovered)):
        for check in checks:
            lines.append(f"{word}: {check.id}" + (f": {check.reason}" if check.reason and word == "broken" else ""))
            if word == "broken":
                lines += [f"  fix: {check.fix}"] if check.fix else []
                lines += [f"  {line}" for line in check.evidence]
    if message.more:
        lines.append(f"and {message.more} more")
    return "\n".join(lines)


def _summarize_run(changes: Changes) -> str:
    """Summarize a run in one sentence: its verdict, the verdict before, and the reason."""
    report = changes.report
    before = f", before: {verdict_word(changes.before)}" if changes.before not in (None, report.verdict) else ""
    verdict = f"{verdict_word(report.verdict).upper()} (exit {report.exit_code}{before})"
    return f"{report.run.title}: {verdict}: {verdict_reason(report, report.exit_code)}"


def _describe_change(change: CheckChange) -> ChangedCheck:
    """Return a changed check with the rules that do not hold and their evidence."""
    check = change.check
    rules = "; ".join(f"{rule.fact}: {expected_and_got(rule, check.facts)}" for rule in broken_rules(check))
    return ChangedCheck(
        id=check.id,
        title=check.title,
        target=check.target,
        status=check.status,
        before=change.before,
        reason=None if check.status is Status.PASS else rules or reason_of(check),
        fix=check.fix if change.broke else None,
        evidence=tuple(f"{label}: {text}" for label, text in evidence_lines(check)) if change.broke else (),
        exchange=last_request(check.exchanges) if change.broke else None,
    )
