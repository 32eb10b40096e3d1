"""JUnit XML: valid for Jenkins' schema, with the content of the report."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from tests.report.runs import CASES, Script, at_least, disturbed, finding
from xnai_validate.model.results.report import RunReport
from xnai_validate.model.results.report_builder import build_report
from xnai_validate.model.results.status import Status
from xnai_validate.report.registry import FORMATS
from xnai_validate.report.view import View

SCHEMA = etree.XMLSchema(etree.parse(Path(__file__).parents[1] / "jenkins-junit.xsd"))


def parsed(report: RunReport) -> etree._Element:
    """The document, well-formed and by the schema."""
    root = etree.fromstring(FORMATS.get("junit").text(report, View()).encode())
    SCHEMA.assertValid(root)
    return root


def case(root: etree._Element, name: str) -> etree._Element:
    """The one case of that name."""
    (found,) = [case for case in root.iter("testcase") if case.get("name") == name]
    return found


def test_every_case_is_valid() -> None:
    """Every kind of run gives a document that Jenkins reads."""
    for _, make in CASES.values():
        parsed(build_report(make()))


def test_it_agrees_with_the_report() -> None:
    """Counts of failures, errors and skips are those of the report, and criteria that are not met are failures too."""
    report = build_report(CASES["failed"][1]())
    root = parsed(report)
    unmet = sum(not criterion.met for criterion in report.criteria)
    assert len(root.findall(".//failure")) == report.summary.fail + unmet == int(root.get("failures", "-1"))
    assert len(root.findall(".//error")) == report.summary.error == int(root.get("errors", "-1"))
    assert len(root.findall(".//skipped")) == report.summary.skip
    assert len(root.findall(".//testcase")) == len(report.checks) + len(report.criteria) + 1, "one has the warnings"
    for suite in root:
        assert int(suite.get("tests", "-1")) == len(suite)


def test_a_failure_names_its_fix() -> None:
    """The text of a failure has what was measured, where it is written and the fix."""
    root = parsed(build_report(CASES["failed"][1]()))
    text = case(root, "first-token").findtext("failure") or ""
    assert "first_event_ms: expected at most 2000, got 2604.31" in text
    assert "file: checks/streaming/stream.yaml:" in text
    assert "fix: Is the proxy buffering?" in text


def test_flaky_and_warned_checks_pass_with_a_note() -> None:
    """A check that held at a later attempt, or only warns, is not a failure; its output has the reason."""
    root = parsed(build_report(CASES["failed"][1]()))
    flaky, warned = case(root, "answers"), case(root, "gaps")
    assert [child.tag for child in (*flaky, *warned)] == ["system-out", "system-out"]
    assert "passed at attempt 2" in (flaky.findtext("system-out") or "")
    assert "max_gap_ms: expected at most 1000, got 1204" in (warned.findtext("system-out") or "")


def test_a_waived_failure_is_skipped_with_its_waiver() -> None:
    """CI does not count it as a failure; the waiver and the broken rule are in its text."""
    root = parsed(build_report(CASES["waived"][1]()))
    waived = case(root, "page").find("skipped")
    assert waived is not None
    assert (waived.get("message") or "").startswith("waived until 2027-01-31 (ops): the UI moves")
    assert "status: expected 200, got 503" in (waived.text or "")
    (suite,) = [suite for suite in root if suite.get("name") == "services"]
    assert (suite.get("failures"), suite.get("skipped")) == ("0", "2")


def test_criteria_of_a_run_that_ended_early_are_left_out() -> None:
    """A run that ended at its first failure is not blamed for criteria it could not meet."""
    script = Script("x", "x", (at_least("services", 9),))
    script.check("services/a:b", "B", Status.FAIL, reason="no")
    root = parsed(build_report(script.events(stopped="fail-fast")))
    assert [suite.get("name") for suite in root] == ["services"]


def test_a_fault_that_may_be_in_force_is_an_error() -> None:
    """A reader of this document alone learns it, with the command that repairs it."""
    left = parsed(build_report(disturbed(proven=False)))
    assert case(left, "redis.pause on redis is reverted").find("error") is None
    error = case(left, "host.memory is reverted").find("error")
    assert error is not None
    assert error.get("message") == "it may still be in force; revert it with: xnai-validate undo"
    assert left.get("errors") == "1"
    assert parsed(build_report(disturbed(proven=True))).get("errors") == "0"


@settings(deadline=None, max_examples=150)
@given(st.text(st.characters(codec=None), max_size=60), st.floats(0, 1e9))
def test_no_text_from_a_server_breaks_the_document(text: str, ms: float) -> None:
    """Any characters in reasons and values, and any duration, give a valid document."""
    script = Script(text, "x")
    reason = f"because {text}"
    script.check("a/b:c", f"T {text}", Status.FAIL, reason=reason, findings=(finding("x", "equals", 1, text),), ms=ms)
    parsed(build_report(script.events(ms=ms)))
