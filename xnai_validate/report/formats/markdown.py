"""The report as Markdown, for a comment of a pull request or the summary of a CI job: short, what is wrong first.

A comment on GitHub has at most 65 536 characters, so the problems are cut before that and the others are counted.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from xnai_validate.model.judging.findings import expected_text, got_text, value_text
from xnai_validate.model.results.report import CheckResult, RunReport
from xnai_validate.model.results.status import Status
from xnai_validate.model.text import printable
from xnai_validate.model.units import format_ms
from xnai_validate.report.causes import PROBLEMS, Problem, cause_counts, has_many_failures, problems_of, skips_of
from xnai_validate.report.comparison_text import regressions, sums
from xnai_validate.report.evidence import evidence_lines
from xnai_validate.report.format import Format
from xnai_validate.report.lists import counted, listed
from xnai_validate.report.markdown_text import safe_text, table_text
from xnai_validate.report.verdict_text import verdict_reason, verdict_word
from xnai_validate.report.view import View
from xnai_validate.report.words import (
    broken_rules,
    expected_and_got,
    met_text,
    planned_text,
    promise_of,
    reason_of,
    waiver_of,
)

CAUSES = 25
"""Causes that are listed before the details."""
MOST = 50_000
"""Characters of problems; what comes after them is short."""


def render(report: RunReport, view: View) -> Iterator[str]:
    """Yield the report as GitHub-flavoured Markdown."""
    run = report.run
    parts = [
        f"## {verdict_word(report.verdict).upper()}: {safe_text(run.title)}\n",
        f"{safe_text(verdict_reason(report, report.exit_code))} (exit {report.exit_code}) \\\n"
        f"run {_code(run.id)}, {format_ms(run.elapsed_ms)}, {safe_text(f'{report.tool.name} {report.tool.version}')}\n",
        _format_categories(report.checks),
        _causes(report),
        *_problems(report),
        _format_notices(report),
        _format_comparison(report),
        _format_criteria(report),
        _format_skips(report),
    ]
    yield "\n".join(part for part in parts if part)


def _causes(report: RunReport) -> str:
    """The causes of all failures and errors, a line each; an empty text if there are few."""
    if not has_many_failures(report.checks):
        return ""
    lines = [
        f"{number}. **{safe_text(cause.title)}**{safe_text(cause_counts(cause))}, {_code(cause.id)}"
        + (f": {safe_text(cause.reason)}" if cause.reason else "")
        for number, cause in enumerate(report.causes[:CAUSES], 1)
    ]
    if len(report.causes) > CAUSES:
        lines.append(f"\n... and {counted(len(report.causes) - CAUSES, 'more cause')}")
    return f"### Causes: {len(report.causes)}\n\n" + "\n".join(lines) + "\n"


def _problems(report: RunReport) -> Iterator[str]:
    """The problems under their headings, as many as fit into a comment."""
    size, left = 0, 0
    for status, title in PROBLEMS:
        problems = problems_of(report, status)
        if not problems:
            continue
        yield f"### {title}: {sum(problem.count for problem in problems)}\n"
        for problem in problems:
            text = _format_problem(problem, report.run.targets)
            size += len(text)
            if size <= MOST:
                yield text
            else:
                left += 1
    if left:
        yield f"... and {counted(left, 'more problem')}, which the JSON report has\n"


def _format_categories(checks: tuple[CheckResult, ...]) -> str:
    """Format the table of categories and statuses."""
    shown_statuses = [status for status in Status if any(check.status is status for check in checks)]
    rows = [["category", *(status.value for status in shown_statuses)]]
    for name in dict.fromkeys(check.category for check in checks):
        members = [check for check in checks if check.category == name]
        counts = [sum(check.status is status for check in members) for status in shown_statuses]
        rows.append([safe_text(name), *(str(count) if count else "" for count in counts)])
    return table_text(rows, numeric=range(1, len(rows[0]))) if checks else ""


def _format_problem(problem: Problem, targets: dict[str, str | None]) -> str:
    """Format a problem: its rules, evidence, promise and fix."""
    check = problem.check
    lines = [f"- **{safe_text(check.title) or safe_text(check.id)}** \\", f"  {_code(check.id)}"]
    for finding in broken_rules(check):
        if finding.fact == "error" and finding.expected is None:
            lines.append(f"  - {_code(finding.fact)}: {safe_text(expected_and_got(finding, check.facts))}")
        else:
            got = got_text(finding, check.facts)
            lines.append(f"  - {_code(finding.fact)}: expected {_code(expected_text(finding))}, got {_code(got)}")
    if len(lines) == 2:
        lines.append(f"  - {safe_text(reason_of(check))}")
    lines += [f"  - {label}: {_code(text)}" for label, text in evidence_lines(check)]
    if check.target:
        url = targets.get(check.target)
        lines.append(f"  - target: {safe_text(check.target)}" + (f" {_code(url)}" if url else ""))
    promise = promise_of(check)
    if promise:
        lines.append(f"  - {promise[0]}: {safe_text(promise[1])}")
    if (waiver := waiver_of(check)) is not None:
        lines.append(f"  - waiver: {safe_text(waiver)}")
    if check.fix and check.status in (Status.FAIL, Status.WARN):
        lines.append(f"  - fix: {safe_text(' '.join(check.fix.split()))}")
    lines.append(f"  - file: {_code(f'{check.source.file}:{check.source.line}')}")
    for label, ids in (("alike", problem.alike), ("blocks", problem.blocks)):
        if ids:
            lines.append(f"  - {label}: {safe_text(listed(ids))} ({counted(len(ids), 'check')})")
    return "\n".join(lines) + "\n"


def _format_notices(report: RunReport) -> str:
    """Format the notices of the run."""
    lines = [f"- {safe_text(f'{notice.level}: {notice.text}')}" for notice in report.notices]
    return "### Notices\n\n" + "\n".join(lines) + "\n" if lines else ""


def _format_comparison(report: RunReport) -> str:
    """Format the comparison with the baseline."""
    if report.comparison is None:
        return ""
    lines = [f"- {safe_text(sentence)}" for sentence in regressions(report.comparison)]
    head = f"### Against {safe_text(report.comparison.baseline)}\n\n{safe_text(sums(report.comparison))}\n"
    return head + ("\n" + "\n".join(lines) + "\n" if lines else "")


def _format_criteria(report: RunReport) -> str:
    """Format the table of success criteria; nothing for a run that stopped at its first failure."""
    if not report.criteria or report.run.stopped == "fail-fast":
        return ""
    rows = [["criterion", "planned", "actual", "met"]]
    for criterion in report.criteria:
        met = "yes" if criterion.met else "**no**" if criterion.met is False else safe_text(met_text(criterion))
        rows.append(
            [
                safe_text(criterion.name),
                safe_text(planned_text(criterion.planned)),
                safe_text(value_text(criterion.actual)),
                met,
            ]
        )
    return f"### Success criteria\n\n{table_text(rows)}"


def _format_skips(report: RunReport) -> str:
    """Format the reasons of the skipped checks."""
    skips = skips_of(report.checks)
    if not skips:
        return ""
    count = sum(len(ids) for _, ids in skips)
    blocked = report.summary.skip - count
    title = f"### Skipped: {count}" + (f", and {blocked} blocked by failures" if blocked else "")
    lines = [f"- {safe_text(reason)} ({counted(len(ids), 'check')})" for reason, ids in skips]
    return f"{title}\n\n" + "\n".join(lines) + "\n"


def _code(text: str) -> str:
    """Return text as a code span; the fence is longer than any run of backticks in it (CommonMark 6.1)."""
    plain = printable(text).replace("|", "\\|")
    longest = max((len(run) for run in re.findall("`+", plain)), default=0)
    fence = "`" * (longest + 1)
    pad = " " if plain.startswith("`") or plain.endswith("`") or not plain.strip() else ""
    return f"{fence}{pad}{plain}{pad}{fence}"


FORMAT = Format("markdown", "for a comment or the summary of a CI job", extensions=(".md",), render=render)
