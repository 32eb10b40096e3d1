"""The report as workflow commands of GitHub Actions: each root cause as an annotation of the line of its check.

Source: GitHub Docs, "Workflow commands for GitHub Actions". GitHub shows about ten annotations of a level, so the
gravest come first and the last one counts the others.
"""

from __future__ import annotations

from collections.abc import Iterator

from xnai_validate.model.judging.findings import describe_finding, value_text
from xnai_validate.model.results.report import RunReport
from xnai_validate.model.results.status import Status
from xnai_validate.model.text import printable
from xnai_validate.report.causes import PROBLEMS, Problem, problems_of
from xnai_validate.report.evidence import evidence_lines
from xnai_validate.report.format import Format
from xnai_validate.report.lists import counted
from xnai_validate.report.verdict_text import verdict_reason, verdict_word
from xnai_validate.report.view import View
from xnai_validate.report.words import broken_rules, planned_text, promise_of, reason_of, waiver_of

SHOWN = 10
"""Annotations of one kind that GitHub shows for a step."""
_LEVELS = {
    Status.FAIL: "error",
    Status.ERROR: "error",
    Status.WARN: "warning",
    Status.FLAKY: "warning",
    Status.WAIVED: "notice",
}


def render(report: RunReport, view: View) -> Iterator[str]:
    """Yield the report as commands, a line each; the last one is the verdict, a notice."""
    for level, commands in _annotations(report).items():
        shown = SHOWN - 1 if level == "notice" else SHOWN
        kept = commands if len(commands) <= shown else commands[: shown - 1]
        yield from kept
        if len(commands) > len(kept):
            rest = f"and {counted(len(commands) - len(kept), 'more problem')}, which the report has"
            yield _format_command(level, rest, title=report.run.title)
    verdict = (
        f"{verdict_word(report.verdict).upper()} (exit {report.exit_code}): {verdict_reason(report, report.exit_code)}"
    )
    yield _format_command("notice", verdict, title=report.run.title)


def _annotations(report: RunReport) -> dict[str, list[str]]:
    """Level -> its commands: notices of the run but those for information, criteria that are not met, problems."""
    commands: dict[str, list[str]] = {"error": [], "warning": [], "notice": []}
    for notice in report.notices:
        if notice.level in commands:
            commands[notice.level].append(_format_command(notice.level, notice.text, title=report.run.title))
    if report.run.stopped != "fail-fast":
        for criterion in report.criteria:
            if criterion.met is False:
                actual = value_text(criterion.actual)
                text = f"{criterion.name}: planned {planned_text(criterion.planned)}, actual {actual}"
                commands["error"].append(_format_command("error", text, title="Success criterion not met"))
    for status, _ in PROBLEMS:
        level = _LEVELS[status]
        commands[level] += [_format_annotation(level, problem) for problem in problems_of(report, status)]
    return commands


def _format_annotation(level: str, problem: Problem) -> str:
    """Format the annotation of a problem at the line of its check."""
    check = problem.check
    title = f"{check.status.value}: {check.title}"
    place = {"file": check.source.file, "line": str(check.source.line)} if check.source.file else {}
    return _format_command(level, "\n".join(_lines(problem)), **place, title=title)


def _lines(problem: Problem) -> list[str]:
    """Return the lines of an annotation: the broken rules, the promise, the fix."""
    check = problem.check
    findings = [describe_finding(finding, check.facts) for finding in broken_rules(check)]
    lines = [check.id, *(findings or [reason_of(check)])]
    lines += [f"{label}: {text}" for label, text in evidence_lines(check)]
    promise = promise_of(check)
    if promise:
        lines.append(": ".join(promise))
    if (waiver := waiver_of(check)) is not None:
        lines.append(f"waiver: {waiver}")
    if check.fix and check.status in (Status.FAIL, Status.WARN):
        lines.append(f"fix: {' '.join(check.fix.split())}")
    for label, ids in (("alike", problem.alike), ("blocks", problem.blocks)):
        if ids:
            lines.append(f"{label}: {counted(len(ids), 'check')}")
    return lines


def _format_command(level: str, text: str, **properties: str) -> str:
    """Format a workflow command."""
    given = ",".join(f"{name}={_escape_property(value)}" for name, value in properties.items())
    return f"::{level} {given}::{_data(text)}\n"


def _data(text: str) -> str:
    """Return the text of a command on one line, in which nothing can begin another command."""
    lines = [printable(line).replace("%", "%25") for line in text.split("\n")]
    return "%0A".join(lines)


def _escape_property(text: str) -> str:
    """Escape the value of a property."""
    return _data(text).replace(":", "%3A").replace(",", "%2C")


FORMAT = Format("github", "annotations in GitHub Actions", render=render)
