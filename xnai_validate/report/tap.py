"""The report as TAP version 13: one test point a check, then one a criterion; many parsers refuse version 14.

Source: https://testanything.org/tap-version-13-specification.html. Diagnostics are YAML blocks by a YAML library.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import yaml

from xnai_validate.model.judging.finding_text import sentence, shown
from xnai_validate.model.results.report import CheckResult, RunReport
from xnai_validate.model.results.status import Status
from xnai_validate.model.results.verdict import Exit
from xnai_validate.model.text import printable
from xnai_validate.report.view import View
from xnai_validate.report.words import in_words, told_of


def render(report: RunReport, view: View) -> str:
    """The report as test points."""
    return "".join(pieces(report, view))


def pieces(report: RunReport, view: View) -> Iterator[str]:
    """The lines of `render`, a test point at a time."""
    criteria = () if report.run.stopped == "fail-fast" else report.criteria
    yield f"TAP version 13\n1..{len(report.checks) + len(criteria)}\n"
    for number, check in enumerate(report.checks, 1):
        yield _point(number, check)
    for number, one in enumerate(criteria, len(report.checks) + 1):
        skipped = f" # SKIP {_safe(one.not_judged)}" if one.not_judged else ""
        yield f"{'not ok' if one.met is False else 'ok'} {number} - {_safe(f'criterion {one.name}')}{skipped}\n"
        if one.met is False:
            yield _block({"planned": in_words(one.planned), "actual": shown(one.actual)})
    if report.exit_code == Exit.NOT_UNDONE:
        yield "Bail out! a fault may still be in force; undo it with: xnai-validate undo\n"
    elif report.run.stopped in ("interrupted", "killed", "deadline", "memory"):
        yield f"Bail out! {report.run.stopped}\n"


def _point(number: int, check: CheckResult) -> str:
    ok = "not ok" if check.status in (Status.FAIL, Status.ERROR) else "ok"
    line = f"{ok} {number} - {_safe(f'{check.id} {check.title}')}"
    if check.status is Status.SKIP:
        return f"{line} # SKIP {_safe(check.reason or 'no reason was given')}\n"
    if check.status is Status.PASS:
        return f"{line}\n"
    findings = [sentence(one, check.facts) for one in told_of(check)]
    known: dict[str, object] = {
        "status": check.status.value,
        "findings": findings or None,
        "reason": None if findings else check.reason,
        "target": check.target,
        "fix": " ".join(check.fix.split()) if check.fix else None,
        "at": f"{check.source.file}:{check.source.line}",
        "attempts": check.attempts,
        "duration_ms": check.elapsed_ms,
    }
    return f"{line}\n{_block(known)}"


def _safe(text: str) -> str:
    """Text of a test point: on one line, and without the sign that begins a directive."""
    return printable(text).replace("#", "\\#")


def _block(known: Mapping[str, object]) -> str:
    """A YAML block, indented as the specification wants it."""
    text = yaml.safe_dump(
        {key: value for key, value in known.items() if value is not None},
        sort_keys=False,
        allow_unicode=True,
        width=1000,
    )
    return "".join(f"  {line}\n" for line in ("---", *text.splitlines(), "..."))
