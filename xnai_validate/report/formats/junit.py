"""The report as JUnit XML, by the schema that Jenkins reads.

There is a suite for each category with a case for each check, a suite of success criteria, one of the faults that were
injected and one of the warnings of the run. The schema has neither `file` nor `line` on a case (they are in the text),
and its times have no exponent. Characters that XML 1.0 cannot hold become escapes. A waived failure is skipped, with
its waiver. Flaky and warned checks pass, with the details in `system-out`; so do warnings.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from xml.etree import ElementTree as ET

from xnai_validate.model.judging.findings import describe_finding, value_text
from xnai_validate.model.results.report import CheckResult, CriterionResult, RunReport
from xnai_validate.model.results.status import Status
from xnai_validate.model.text import printable
from xnai_validate.report.comparison_text import regressions
from xnai_validate.report.evidence import evidence_lines
from xnai_validate.report.format import Format
from xnai_validate.report.view import View
from xnai_validate.report.words import broken_rules, planned_text, promise_of, reason_of, waiver_of

_ELEMENTS = {Status.FAIL: "failure", Status.ERROR: "error", Status.SKIP: "skipped", Status.WAIVED: "skipped"}


def render(report: RunReport, view: View) -> Iterator[str]:
    """Yield the report as one XML document."""
    root = ET.Element("testsuites", name=printable(report.run.title))
    for category in dict.fromkeys(check.category for check in report.checks):
        _category(root, report, category, [check for check in report.checks if check.category == category])
    if report.criteria and report.run.stopped != "fail-fast":
        _add_criteria(root, report)
    if report.faults:
        _faults(root, report)
    if any(notice.level != "info" for notice in report.notices):
        _notices(root, report)
    for total in ("tests", "failures", "errors"):
        root.set(total, str(sum(int(suite.get(total, "0")) for suite in root)))
    root.set("time", _format_seconds(report.run.elapsed_ms))
    ET.indent(root)
    yield f'<?xml version="1.0" encoding="UTF-8"?>\n{ET.tostring(root, encoding="unicode")}\n'


def _suite(
    root: ET.Element, report: RunReport, name: str, *, tests: int, failures: int = 0, errors: int = 0, skipped: int = 0
) -> ET.Element:
    """Add a `testsuite` with its counts."""
    return ET.SubElement(
        root,
        "testsuite",
        name=printable(name),
        tests=str(tests),
        failures=str(failures),
        errors=str(errors),
        skipped=str(skipped),
        time="0.000",
        timestamp=_format_start(report),
    )


def _category(root: ET.Element, report: RunReport, category: str, checks: Sequence[CheckResult]) -> None:
    """Add a category as a `testsuite` with its checks."""
    counts = {status: sum(check.status is status for check in checks) for status in _ELEMENTS}
    suite = _suite(
        root,
        report,
        category,
        tests=len(checks),
        failures=counts[Status.FAIL],
        errors=counts[Status.ERROR],
        skipped=counts[Status.SKIP] + counts[Status.WAIVED],
    )
    suite.set("time", _format_seconds(sum(check.elapsed_ms for check in checks)))
    for check in checks:
        _case(suite, check, report.run.targets)


def _case(suite: ET.Element, check: CheckResult, targets: dict[str, str | None]) -> None:
    """Add a check as a `testcase`: with its failure, error or skip, else with what is worth knowing as its output."""
    where, _, name = check.id.partition(":")
    case = ET.SubElement(
        suite,
        "testcase",
        classname=printable(where.replace("/", ".")),
        name=printable(name or check.title),
        time=_format_seconds(check.elapsed_ms),
    )
    if check.status in _ELEMENTS:
        element = ET.SubElement(
            case, _ELEMENTS[check.status], message=printable(check.reason or check.title), type=printable(check.kind)
        )
        element.text = _lines(check, targets)
    elif check.status is not Status.PASS:
        ET.SubElement(case, "system-out").text = _lines(check, targets)


def _lines(check: CheckResult, targets: dict[str, str | None]) -> str:
    """Return what a failed check shows on a build page: its broken rules, its target, its promise, its fix."""
    lines = [f"{check.status.value}: {check.title}"]
    if check.status is Status.FLAKY:
        lines.append(reason_of(check))
    lines += [describe_finding(finding, check.facts) for finding in broken_rules(check)]
    url = targets.get(check.target or "")
    promise = promise_of(check)
    # Not with the others: a label may come several times, as each line of a log does.
    lines += [f"{label}: {text}" for label, text in evidence_lines(check)]
    known = {
        "blocked by": check.blocked_by,
        "target": f"{check.target} {url or ''}".strip() if check.target else None,
        **dict([promise] if promise else []),
        "waiver": waiver_of(check),
        "fix": " ".join(check.fix.split()) if check.fix else None,
        "file": f"{check.source.file}:{check.source.line}",
    }
    lines += [f"{label}: {text}" for label, text in known.items() if text]
    return "\n".join(map(printable, lines))


def _add_criteria(root: ET.Element, report: RunReport) -> None:
    """Add the success criteria as a test suite."""
    unmet = sum(criterion.met is False for criterion in report.criteria)
    not_judged = sum(criterion.met is None for criterion in report.criteria)
    suite = _suite(root, report, "success criteria", tests=len(report.criteria), failures=unmet, skipped=not_judged)
    for criterion in report.criteria:
        of_comparison = report.comparison is not None and criterion.name == "regressions"
        worse = regressions(report.comparison) if report.comparison and of_comparison else []
        _add_criterion(suite, criterion, worse)


def _add_criterion(suite: ET.Element, criterion: CriterionResult, worse: Sequence[str]) -> None:
    """Add a criterion as a test case."""
    case = ET.SubElement(suite, "testcase", classname="criteria", name=printable(criterion.name), time="0.000")
    if criterion.met is None:
        ET.SubElement(case, "skipped", message=printable(criterion.not_judged or "not judged"), type="criterion")
    elif not criterion.met:
        message = printable(f"planned {planned_text(criterion.planned)}, actual {value_text(criterion.actual)}")
        failure = ET.SubElement(case, "failure", message=message, type="criterion")
        failure.text = "\n".join([message, *map(printable, worse)])


def _faults(root: ET.Element, report: RunReport) -> None:
    """One case for each fault: one that may still be in force is an error, whatever the checks measured."""
    left = [fault for fault in report.faults if not fault.proven]
    suite = _suite(root, report, "faults", tests=len(report.faults), errors=len(left))
    for fault in report.faults:
        name = f"{fault.fault} on {fault.target}" if fault.target else fault.fault
        case = ET.SubElement(suite, "testcase", classname="faults", name=printable(f"{name} is reverted"), time="0.000")
        if not fault.proven:
            message = "it may still be in force; revert it with: xnai-validate undo"
            error = ET.SubElement(case, "error", message=message, type="fault")
            error.text = printable(f"injected at {fault.injected_at}")


def _notices(root: ET.Element, report: RunReport) -> None:
    """One case that passes, with the warnings of the run as its output."""
    suite = _suite(root, report, "notices", tests=1)
    case = ET.SubElement(suite, "testcase", classname="notices", name="warnings of the run", time="0.000")
    lines = [printable(f"{notice.level}: {notice.text}") for notice in report.notices if notice.level != "info"]
    ET.SubElement(case, "system-out").text = "\n".join(lines)


def _format_seconds(ms: float) -> str:
    """Format milliseconds as seconds."""
    return f"{ms / 1000:.3f}"


def _format_start(report: RunReport) -> str:
    """Format the start of the run without fractions and zone, as the schema has it."""
    return report.run.started_at.partition(".")[0].removesuffix("Z")


FORMAT = Format("junit", "JUnit XML, for Jenkins, GitLab and others", extensions=(".xml",), render=render)
