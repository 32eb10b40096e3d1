"""The report as Markdown, for a comment of a pull request or the summary of a CI job: short, what is wrong first.

A comment on GitHub takes 65 536 characters, so the problems are cut off before that and the rest is counted.
"""

from __future__ import annotations

import re

from xnai_validate.model.judging.finding_text import measured, shown, wanted
from xnai_validate.model.results.report import CheckResult, RunReport
from xnai_validate.model.results.status import Status
from xnai_validate.model.text import printable
from xnai_validate.model.units import format_ms
from xnai_validate.report.causes import PROBLEMS, Problem, problems_of, skips_of
from xnai_validate.report.comparison import regressions, sums
from xnai_validate.report.ending import because
from xnai_validate.report.view import View
from xnai_validate.report.words import counted, in_words, listed, met_in_words, rest_of_sentence, said, told_of

MOST = 50_000
"""Characters of problems; what comes after them is short."""
_SPECIAL = re.compile(r"[\\`*_\[\]#|<>~&]|:(?=//)|(?<=www)\.")
_LEADING = re.compile(r"^(\d*)([-+=.):])")
"""What begins a list or a heading at the start of a line."""


def render(report: RunReport, view: View) -> str:
    """The report as GitHub-flavoured Markdown."""
    run = report.run
    parts = [
        f"## {report.verdict.upper()}: {_safe(run.title)}\n",
        f"{_safe(because(report, report.exit_code))} (exit {report.exit_code}) \\\n"
        f"run {_code(run.id)}, {format_ms(run.elapsed_ms)}, {_safe(f'{report.tool.name} {report.tool.version}')}\n",
        _categories(report.checks),
    ]
    size, left = 0, 0
    for status, title in PROBLEMS:
        problems = problems_of(report.checks, status)
        if not problems:
            continue
        parts.append(f"### {title}: {sum(1 + len(one.alike) for one in problems)}\n")
        for problem in problems:
            text = _problem(problem, run.targets)
            size += len(text)
            if size <= MOST:
                parts.append(text)
            else:
                left += 1
    if left:
        parts.append(f"... and {counted(left, 'more problem')}, which the JSON report has\n")
    parts += [_comparison(report), _criteria(report), _skips(report)]
    return "\n".join(part for part in parts if part)


def _categories(checks: tuple[CheckResult, ...]) -> str:
    shown_statuses = [status for status in Status if any(check.status is status for check in checks)]
    rows = [["category", *(status.value for status in shown_statuses)]]
    for name in dict.fromkeys(check.category for check in checks):
        members = [check for check in checks if check.category == name]
        counts = [sum(check.status is status for check in members) for status in shown_statuses]
        rows.append([_safe(name), *(str(count) if count else "" for count in counts)])
    return _table(rows, numeric=True) if checks else ""


def _table(rows: list[list[str]], *, numeric: bool = False) -> str:
    lines = [f"| {' | '.join(row)} |" for row in rows]
    ruler = f"|---|{('---:|' if numeric else '---|') * (len(rows[0]) - 1)}"
    return "\n".join([lines[0], ruler, *lines[1:]]) + "\n"


def _problem(problem: Problem, targets: dict[str, str | None]) -> str:
    check = problem.check
    lines = [f"- **{_safe(check.title) or _safe(check.id)}** \\", f"  {_code(check.id)}"]
    for one in told_of(check):
        if one.fact == "error" and one.expected is None:
            lines.append(f"  - {_code(one.fact)}: {_safe(rest_of_sentence(one, check.facts))}")
        else:
            found = measured(one, check.facts)
            lines.append(f"  - {_code(one.fact)}: expected {_code(wanted(one))}, measured {_code(found)}")
    if len(lines) == 2:
        lines.append(f"  - {_safe(said(check))}")
    if check.target:
        url = targets.get(check.target)
        lines.append(f"  - on {_safe(check.target)}" + (f" {_code(url)}" if url else ""))
    if check.fix and check.status in (Status.FAIL, Status.WARN):
        lines.append(f"  - fix: {_safe(' '.join(check.fix.split()))}")
    lines.append(f"  - see {_code(f'{check.source.file}:{check.source.line}')}")
    for word, ids in (("alike", problem.alike), ("blocks", problem.blocks)):
        if ids:
            lines.append(f"  - {word} {counted(len(ids), 'check')}: {_safe(listed(ids))}")
    return "\n".join(lines) + "\n"


def _comparison(report: RunReport) -> str:
    if report.comparison is None:
        return ""
    lines = [f"- {_safe(one)}" for one in regressions(report.comparison)]
    head = f"### Against {_safe(report.comparison.baseline)}\n\n{_safe(sums(report.comparison))}\n"
    return head + ("\n" + "\n".join(lines) + "\n" if lines else "")


def _criteria(report: RunReport) -> str:
    if not report.criteria or report.run.stopped == "fail-fast":
        return ""
    rows = [["criterion", "planned", "actual", "met"]]
    for one in report.criteria:
        met = "yes" if one.met else "**no**" if one.met is False else _safe(met_in_words(one))
        rows.append([_safe(one.name), _safe(in_words(one.planned)), _safe(shown(one.actual)), met])
    return f"### Success criteria\n\n{_table(rows)}"


def _skips(report: RunReport) -> str:
    lines = [f"- {_safe(reason)} ({counted(len(ids), 'check')})" for reason, ids in skips_of(report.checks)]
    return f"### Skipped: {report.summary.skip}\n\n" + "\n".join(lines) + "\n" if lines else ""


def _safe(text: str) -> str:
    """Text that is only text: no markup, no list, no mention, no link, no control characters."""
    escaped = _SPECIAL.sub(r"\\\g<0>", printable(text).strip())
    return _LEADING.sub(r"\1\\\2", escaped).replace("@", "@<!-- -->")


def _code(text: str) -> str:
    """Text as a code span; the fence is longer than any run of backticks in it (CommonMark 6.1)."""
    plain = printable(text).replace("|", "\\|")
    longest = max((len(run) for run in re.findall("`+", plain)), default=0)
    fence = "`" * (longest + 1)
    pad = " " if plain.startswith("`") or plain.endswith("`") or not plain.strip() else ""
    return f"{fence}{pad}{plain}{pad}{fence}"
