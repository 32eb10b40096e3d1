"""The report as TAP version 13: one test point a check, then one a criterion; many parsers refuse version 14.

Source: https://testanything.org/tap-version-13-specification.html. Diagnostics are YAML blocks by a YAML library, kept
within what Perl's TAP::Parser reads of YAML: mappings of plain or single-quoted texts.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

import yaml

from xnai_validate.model.judging.findings import describe_finding, value_text
from xnai_validate.model.results.report import CheckResult, CriterionResult, RunReport
from xnai_validate.model.results.status import Status
from xnai_validate.model.results.verdict import Exit
from xnai_validate.model.text import printable
from xnai_validate.report.evidence import evidence_lines
from xnai_validate.report.format import Format
from xnai_validate.report.view import View
from xnai_validate.report.words import broken_rules, planned_text, promise_of, waiver_of


def render(report: RunReport, view: View) -> Iterator[str]:
    """Yield the report, a test point at a time."""
    criteria = () if report.run.stopped == "fail-fast" else report.criteria
    yield f"TAP version 13\n1..{len(report.checks) + len(criteria)}\n"
    for notice in report.notices:
        if notice.level != "info":
            yield f"# {notice.level}: {printable(notice.text)}\n"
    for number, check in enumerate(report.checks, 1):
        yield _format_check(number, check)
    for number, criterion in enumerate(criteria, len(report.checks) + 1):
        yield _format_criterion(number, criterion)
    if report.exit_code == Exit.NOT_UNDONE:
        yield "Bail out! a fault may still be in force; revert it with: xnai-validate undo\n"
    elif report.run.stopped in ("interrupted", "killed", "deadline", "memory"):
        yield f"Bail out! {report.run.stopped}\n"


def _format_criterion(number: int, criterion: CriterionResult) -> str:
    """Format a criterion as a test point."""
    ok = "not ok" if criterion.met is False else "ok"
    skip = f" # SKIP {_safe(criterion.not_judged)}" if criterion.not_judged else ""
    line = f"{ok} {number} - {_safe(f'criterion {criterion.name}')}{skip}\n"
    if criterion.met is not False:
        return line
    return line + _block({"planned": planned_text(criterion.planned), "actual": value_text(criterion.actual)})


def _format_check(number: int, check: CheckResult) -> str:
    """Format a check as a test point, with its findings as a YAML block if it did not pass."""
    ok = "not ok" if check.status in (Status.FAIL, Status.WAIVED, Status.ERROR) else "ok"
    line = f"{ok} {number} - {_safe(f'{check.id} {check.title}')}"
    if check.status is Status.SKIP:
        return f"{line} # SKIP {_safe(check.reason or 'no reason was given')}\n"
    if check.status is Status.PASS:
        return f"{line}\n"
    waiver = waiver_of(check)
    if check.status is Status.WAIVED:  # a failure that is expected, as the specification has it
        line = f"{line} # TODO waived {_safe(waiver or '')}"
    findings = [describe_finding(finding, check.facts) for finding in broken_rules(check)]
    promise = promise_of(check)
    values: dict[str, object] = {
        "status": check.status.value,
        "findings": dict(enumerate(findings, 1)) or None,  # a list of quoted texts is beyond TAP::Parser
        "reason": None if findings else check.reason,
        **_group_by_label(evidence_lines(check)),
        "target": check.target,
        **dict([promise] if promise else []),
        "waiver": waiver,
        "fix": " ".join(check.fix.split()) if check.fix else None,
        "at": f"{check.source.file}:{check.source.line}",
        "attempts": check.attempts,
        "duration_ms": check.elapsed_ms,
    }
    return f"{line}\n{_block(values)}"


def _group_by_label(lines: Iterable[tuple[str, str]]) -> dict[str, object]:
    """Return label -> its text; texts of the same label, such as the lines of a log, are numbered."""
    groups: dict[str, list[str]] = {}
    for label, text in lines:
        groups.setdefault(label, []).append(text)
    return {label: texts[0] if len(texts) == 1 else dict(enumerate(texts, 1)) for label, texts in groups.items()}


def _safe(text: str) -> str:
    """Return the text of a test point: on one line, without the character that begins a directive."""
    return printable(text).replace("#", "\\#")


def _block(values: Mapping[str, object]) -> str:
    """Return a YAML block, indented as the specification requires; values of None are left out."""
    text = yaml.safe_dump(
        {key: _plain(value) for key, value in values.items() if value is not None},
        sort_keys=False,
        allow_unicode=True,
        width=float("inf"),
    )
    return "".join(f"  {line}\n" for line in ("---", *text.splitlines(), "..."))


def _plain(value: object) -> object:
    """Texts without characters that YAML would need double quotes for."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return printable(value) if isinstance(value, str) else value


FORMAT = Format("tap", "TAP version 13, for prove and others", extensions=(".tap",), render=render)
