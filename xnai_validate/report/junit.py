"""The report as JUnit XML, by the schema that Jenkins reads.

One suite a category, one case a check, one suite of success criteria and one of the faults that were injected. The
schema knows neither `file` nor `line` on a case (they stand in the text), and times without an exponent. Flaky and
warned checks pass, and say so in `system-out`.
"""

from __future__ import annotations

from collections.abc import Sequence
from xml.etree import ElementTree as ET

from xnai_validate.model.judging.finding_text import sentence, shown
from xnai_validate.model.results.report import CheckResult, CriterionResult, RunReport
from xnai_validate.model.results.status import Status
from xnai_validate.model.text import printable
from xnai_validate.report.comparison import regressions
from xnai_validate.report.view import View
from xnai_validate.report.words import told_of

_ELEMENTS = {Status.FAIL: "failure", Status.ERROR: "error", Status.SKIP: "skipped"}


def render(report: RunReport, view: View) -> str:
    """The report as an XML document."""
    root = ET.Element("testsuites", name=_clean(report.run.title))
    for category in dict.fromkeys(check.category for check in report.checks):
        _suite(root, report, category, [check for check in report.checks if check.category == category])
    if report.criteria and report.run.stopped != "fail-fast":
        _criteria(root, report)
    if report.faults:
        _faults(root, report)
    for total in ("tests", "failures", "errors"):
        root.set(total, str(sum(int(suite.get(total, "0")) for suite in root)))
    root.set("time", _seconds(report.run.elapsed_ms))
    ET.indent(root)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{ET.tostring(root, encoding="unicode")}\n'


def _suite(root: ET.Element, report: RunReport, category: str, checks: Sequence[CheckResult]) -> None:
    counts = {status: sum(check.status is status for check in checks) for status in _ELEMENTS}
    suite = ET.SubElement(
        root,
        "testsuite",
        name=_clean(category),
        tests=str(len(checks)),
        failures=str(counts[Status.FAIL]),
        errors=str(counts[Status.ERROR]),
        skipped=str(counts[Status.SKIP]),
        time=_seconds(sum(check.elapsed_ms for check in checks)),
        timestamp=_timestamp(report),
    )
    for check in checks:
        _case(suite, check, report.run.targets)


def _case(suite: ET.Element, check: CheckResult, targets: dict[str, str | None]) -> None:
    where, _, name = check.id.partition(":")
    case = ET.SubElement(
        suite,
        "testcase",
        classname=_clean(where.replace("/", ".")),
        name=_clean(name or check.title),
        time=_seconds(check.elapsed_ms),
    )
    if check.status in _ELEMENTS:
        element = ET.SubElement(
            case, _ELEMENTS[check.status], message=_clean(check.reason or check.title), type=_clean(check.kind)
        )
        element.text = _lines(check, targets)
    elif check.status is not Status.PASS:
        ET.SubElement(case, "system-out").text = _lines(check, targets)


def _lines(check: CheckResult, targets: dict[str, str | None]) -> str:
    """What a reader of the build page needs to mend it, a line each."""
    lines = [f"{check.status.value}: {check.title}"]
    if check.status is Status.FLAKY:
        lines.append(f"passed at attempt {check.attempts}")
    lines += [sentence(finding, check.facts) for finding in told_of(check)]
    url = targets.get(check.target or "")
    known = {
        "blocked by": check.blocked_by,
        "on": f"{check.target} {url or ''}".strip() if check.target else None,
        "fix": " ".join(check.fix.split()) if check.fix else None,
        "see": f"{check.source.file}:{check.source.line}",
    }
    lines += [f"{label}: {text}" for label, text in known.items() if text]
    return "\n".join(map(_clean, lines))


def _criteria(root: ET.Element, report: RunReport) -> None:
    unmet = sum(one.met is False for one in report.criteria)
    suite = ET.SubElement(
        root,
        "testsuite",
        name="success criteria",
        tests=str(len(report.criteria)),
        failures=str(unmet),
        errors="0",
        skipped=str(sum(one.met is None for one in report.criteria)),
        time="0.000",
        timestamp=_timestamp(report),
    )
    for one in report.criteria:
        worse = regressions(report.comparison) if report.comparison and one.name == "regressions" else []
        _criterion(suite, one, worse)


def _criterion(suite: ET.Element, one: CriterionResult, worse: Sequence[str]) -> None:
    case = ET.SubElement(suite, "testcase", classname="criteria", name=_clean(one.name), time="0.000")
    if one.met is None:
        ET.SubElement(case, "skipped", message=_clean(one.not_judged or "not judged"))
    elif not one.met:
        message = _clean(f"planned {one.planned}, actual {shown(one.actual)}")
        ET.SubElement(case, "failure", message=message, type="criterion").text = "\n".join(
            [message, *map(_clean, worse)]
        )


def _faults(root: ET.Element, report: RunReport) -> None:
    """That each fault was taken back: one that may still be in force is an error, whatever the checks say."""
    left = [one for one in report.faults if not one.proven]
    suite = ET.SubElement(
        root,
        "testsuite",
        name="faults",
        tests=str(len(report.faults)),
        failures="0",
        errors=str(len(left)),
        skipped="0",
        time="0.000",
        timestamp=_timestamp(report),
    )
    for one in report.faults:
        name = f"{one.fault} on {one.target}" if one.target else one.fault
        case = ET.SubElement(suite, "testcase", classname="faults", name=_clean(f"{name} is undone"), time="0.000")
        if not one.proven:
            message = "it may still be in force; undo it with: xnai-validate undo"
            ET.SubElement(case, "error", message=message, type="fault").text = _clean(f"injected at {one.injected_at}")


def _clean(text: str) -> str:
    """Text that XML 1.0 can carry: whatever is no printable character becomes an escape."""
    return printable(text)


def _seconds(ms: float) -> str:
    return f"{ms / 1000:.3f}"


def _timestamp(report: RunReport) -> str:
    return report.run.started_at.partition(".")[0].removesuffix("Z")
