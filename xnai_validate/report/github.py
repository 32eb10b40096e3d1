"""The report as workflow commands of GitHub Actions: each root cause as an annotation where its check is written.

Source: GitHub Docs, "Workflow commands for GitHub Actions". About ten annotations of a kind are shown there, so the
gravest come first and the last names how many there were.
"""

from __future__ import annotations

from xnai_validate.model.judging.finding_text import sentence, shown
from xnai_validate.model.results.report import CheckResult, RunReport
from xnai_validate.model.results.status import Status
from xnai_validate.model.text import printable
from xnai_validate.report.causes import PROBLEMS, Problem, problems_of
from xnai_validate.report.ending import because
from xnai_validate.report.view import View
from xnai_validate.report.words import counted, in_words, said, told_of

SHOWN = 10
"""Annotations of one kind that GitHub shows for a step."""
_LEVELS = {Status.FAIL: "error", Status.ERROR: "error", Status.WARN: "warning", Status.FLAKY: "warning"}


def render(report: RunReport, view: View) -> str:
    """The report as commands, a line each; the verdict is a notice."""
    lines: dict[str, list[str]] = {"error": [], "warning": []}
    if report.run.stopped != "fail-fast":
        for one in report.criteria:
            if one.met is False:
                text = f"{one.name}: planned {in_words(one.planned)}, actual {shown(one.actual)}"
                lines["error"].append(_command("error", text, title="Success criterion not met"))
    for status, _ in PROBLEMS:
        level = _LEVELS[status]
        lines[level] += [_annotation(level, one) for one in problems_of(report.checks, status)]
    made: list[str] = []
    for level, found in lines.items():
        kept = found if len(found) <= SHOWN else found[: SHOWN - 1]
        made += kept
        if len(found) > len(kept):
            rest = f"and {counted(len(found) - len(kept), 'more problem')}, which the report has"
            made.append(_command(level, rest, title=report.run.title))
    verdict = f"{report.verdict.upper()} (exit {report.exit_code}): {because(report, report.exit_code)}"
    made.append(_command("notice", verdict, title=report.run.title))
    return "".join(f"{line}\n" for line in made)


def _annotation(level: str, problem: Problem) -> str:
    check = problem.check
    title = f"{check.status.value}: {check.title}"
    place = {"file": check.source.file, "line": str(check.source.line)} if check.source.file else {}
    return _command(level, "\n".join(_told(check, problem)), **place, title=title)


def _told(check: CheckResult, problem: Problem) -> list[str]:
    findings = told_of(check)
    lines = [check.id, *([sentence(one, check.facts) for one in findings] or [said(check)])]
    if check.fix and check.status in (Status.FAIL, Status.WARN):
        lines.append(f"fix: {' '.join(check.fix.split())}")
    for word, ids in (("alike", problem.alike), ("blocks", problem.blocks)):
        if ids:
            lines.append(f"{word}: {counted(len(ids), 'check')}")
    return lines


def _command(level: str, text: str, **properties: str) -> str:
    given = ",".join(f"{name}={_property(value)}" for name, value in properties.items())
    return f"::{level} {given}::{_data(text)}"


def _data(text: str) -> str:
    """The text of a command: on one line, with whatever could begin another command as an escape."""
    lines = [printable(line).replace("%", "%25") for line in text.split("\n")]
    return "%0A".join(lines)


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
