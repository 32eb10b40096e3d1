"""TAP, Markdown, annotations and metrics: read back by parsers that others wrote, they say what the report says."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token
from prometheus_client.parser import text_string_to_metric_families

from tests.report.runs import CASES, Script, at_least, disturbed, finding
from xnai_validate.model.results.report import RunReport
from xnai_validate.model.results.report_builder import fold
from xnai_validate.model.results.status import Status
from xnai_validate.model.text import printable
from xnai_validate.report import github, markdown
from xnai_validate.report.formats import FORMATS
from xnai_validate.report.view import View

FAILED = fold(CASES["failed"][1]())
ANY_TEXT = st.text(st.characters(codec=None), max_size=60)


def made(name: str, report: RunReport) -> str:
    """The report in a format."""
    return FORMATS[name].render(report, View())


def with_text(text: str) -> RunReport:
    """A run in which a server's text is everywhere."""
    script = Script(text, "x", (at_least("a", 9),))
    findings = (finding("x", "equals", 1, text), finding(f"json {text}", "contains", text, [text]))
    script.check("a/b:c", text, Status.FAIL, reason=text, findings=findings, fix=text, facts={"f": text})
    script.check("a/b:d", text, Status.ERROR, reason=text)
    script.check("a/b:e", text, Status.SKIP, reason=text)
    script.notice(text)
    return fold(script.events())


def points(text: str) -> tuple[list[str], list[dict[str, object]]]:
    """The test points of a TAP document and its YAML blocks; the plan must be kept."""
    head, plan, *lines = text.splitlines()
    assert head == "TAP version 13"
    found = [line for line in lines if re.match(r"(not )?ok \d+ ", line)]
    assert plan == f"1..{len(found)}"
    assert [int(re.findall(r"\d+", line)[0]) for line in found] == list(range(1, len(found) + 1))
    blocks = re.findall(r"^  ---\n(.*?)^  \.\.\.$", text, re.MULTILINE | re.DOTALL)
    inside = sum(len(block.splitlines()) + 2 for block in blocks)
    bailed = sum(line.startswith("Bail out!") for line in lines)
    assert len(lines) == len(found) + inside + bailed, "a line that belongs to nothing"
    return found, [yaml.safe_load(block) for block in blocks]


def test_tap_agrees_with_the_report() -> None:
    """Failures, errors and unmet criteria are `not ok`, skips say why, and each block says where the check is."""
    found, blocks = points(made("tap", FAILED))
    unmet = sum(not one.met for one in FAILED.criteria)
    assert sum(line.startswith("not ok") for line in found) == FAILED.summary.fail + FAILED.summary.error + unmet
    assert sum(" # SKIP " in line for line in found) == FAILED.summary.skip
    assert any(block.get("at") == "checks/streaming/stream.yaml:15" for block in blocks)
    stopped = made("tap", fold(CASES["deadline"][1]()))
    assert stopped.endswith("Bail out! deadline\n")
    left = made("tap", fold(disturbed(proven=False)))
    assert left.endswith("Bail out! a fault may still be in force; undo it with: xnai-validate undo\n")
    assert "Bail out!" not in made("tap", fold(disturbed(proven=True)))


@settings(deadline=None, max_examples=150)
@given(ANY_TEXT)
def test_no_text_breaks_tap(text: str) -> None:
    """Whatever a server sent, the points stay three and their blocks YAML."""
    found, blocks = points(made("tap", with_text(text)))
    assert [line.startswith("not ok") for line in found] == [True, True, False, True]
    assert len(blocks) == 3
    assert all(printable(line) == line for line in found)


@pytest.mark.parametrize("name", ["terminal", "tap", "junit", "markdown", "html", "json", "github", "prometheus"])
def test_a_criterion_that_is_not_judged_is_no_failure(name: str) -> None:
    """Every format for people says why it was not judged, and none says that it is met or not met."""
    script = Script("Calm", "x", (replace(at_least("breakers", 12), not_judged="needs --allow disruptive"),))
    script.check("breakers/cycle:opens", "It opens", Status.SKIP, reason="disruptive checks are not allowed here")
    text = made(name, fold(script.events()))
    for word in ("not met", "not ok", "<failure", "::error", "criterion_met{", '"met":true', '"met":false'):
        assert word not in text
    assert name in ("github", "prometheus") or "needs --allow disruptive" in text


def inline(tokens: list[Token]) -> list[Token]:
    """All tokens of a document, those within paragraphs too."""
    return [one for token in tokens for one in (token, *(token.children or ()))]


def test_markdown_names_every_problem_and_criterion() -> None:
    """Each failed check has its id, its measured values and its fix; tables are tables."""
    text = made("markdown", FAILED)
    tokens = MarkdownIt("gfm-like", {"linkify": False}).parse(text)
    shown = [token.content for token in inline(tokens) if token.type == "code_inline"]
    for check in FAILED.checks:
        assert (check.id in shown) == (check.status in (Status.FAIL, Status.ERROR, Status.WARN, Status.FLAKY))
    assert "2604.31" in shown
    assert sum(token.type == "table_open" for token in tokens) == 2
    assert "5 checks" in text
    assert "**no**" in text


@settings(deadline=None, max_examples=200)
@given(ANY_TEXT)
def test_no_text_becomes_markup(text: str) -> None:
    """No text from a server makes a link, an image, HTML, a heading, a list or a table of its own."""
    tokens = inline(MarkdownIt("gfm-like", {"linkify": False}).parse(made("markdown", with_text(text))))
    plain = inline(
        MarkdownIt("gfm-like", {"linkify": False}).parse(
            made("markdown", with_text("x" if printable(text).strip() else text))
        )
    )
    kinds = [token.type for token in tokens if token.type not in ("text", "text_special", "html_inline", "softbreak")]
    wanted = [token.type for token in plain if token.type not in ("text", "text_special", "html_inline", "softbreak")]
    assert kinds == wanted
    assert all(token.content == "<!-- -->" for token in tokens if token.type == "html_inline")


def test_markdown_of_many_problems_is_short_enough_for_a_comment() -> None:
    """A run in which everything fails still fits into a comment, and says how much was left out."""
    script = Script("Many", "many")
    for number in range(900):
        script.check(f"a/b:c{number}", "Title " * 20, Status.FAIL, reason="because " * 20)
    text = made("markdown", fold(script.events()))
    assert len(text) < 65_536
    assert "more problems, which the JSON report has" in text
    assert len(text) > markdown.MOST / 2


def test_annotations_stand_where_the_check_is_written() -> None:
    """A failed check is an error at its line; warned and flaky ones are warnings; the verdict is a notice."""
    lines = made("github", FAILED).splitlines()
    assert any(one.startswith("::error file=checks/streaming/stream.yaml,line=15,title=fail%3A ") for one in lines)
    assert sum(one.startswith("::warning ") for one in lines) == FAILED.summary.warn + FAILED.summary.flaky
    assert lines[-1].startswith("::notice title=")
    assert "FAILED (exit 1)" in lines[-1]


def test_no_more_annotations_than_are_shown() -> None:
    """Of many failures the first are annotated and the last annotation counts the others."""
    script = Script("Many", "many")
    for number in range(25):
        script.check(f"a/b:c{number}", "T", Status.FAIL, reason="no")
    errors = [one for one in made("github", fold(script.events())).splitlines() if one.startswith("::error")]
    assert len(errors) == github.SHOWN
    assert errors[-1].endswith("and 16 more problems, which the report has")


@settings(deadline=None, max_examples=150)
@given(ANY_TEXT)
def test_no_text_becomes_a_command(text: str) -> None:
    """Whatever a server sent, there are the annotations of the report and no other line."""
    lines = made("github", with_text(text)).split("\n")
    assert lines.pop() == ""
    assert [line.partition(" ")[0] for line in lines] == ["::error", "::error", "::error", "::notice"]
    for line in lines:
        properties = line.split(" ", 1)[1].partition("::")[0]
        assert all("=" in one for one in properties.split(","))
        assert printable(line) == line


@pytest.mark.parametrize("case", CASES)
def test_metrics_agree_with_the_report(case: str) -> None:
    """Prometheus' own parser finds one sample a measured check, and counts that add up."""
    report = fold(CASES[case][1]())
    families = {one.name: one for one in text_string_to_metric_families(made("prometheus", report))}
    checks = families["xnai_validate_checks"].samples
    assert sum(one.value for one in checks) == len(report.checks)
    assert sum(one.value for one in checks if one.labels["status"] == "fail") == report.summary.fail
    assert families["xnai_validate_run_exit_code"].samples[0].value == report.exit_code
    passed = families["xnai_validate_check_passed"].samples if "xnai_validate_check_passed" in families else []
    assert {one.labels["check"]: bool(one.value) for one in passed} == {
        check.id: check.status.passed for check in report.checks if check.status is not Status.SKIP
    }


@settings(deadline=None, max_examples=100)
@given(ANY_TEXT)
def test_no_text_breaks_the_metrics(text: str) -> None:
    """Names of targets and criteria with any characters in them stay label values."""
    script = Script("x", text, (at_least(text, 1),))
    script.check("a/b:c", "T", Status.FAIL, reason="no", target=text)
    families = list(text_string_to_metric_families(made("prometheus", fold(script.events()))))
    assert len(families) == 7
    assert sum(len(one.samples) for one in families) == 3 + 6 + 1 + 1 + 1
