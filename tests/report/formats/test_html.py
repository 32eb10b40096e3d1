"""The HTML page: complete in itself, in agreement with the report, and closed to whatever a server sent."""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import replace
from typing import cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import html

from tests.report.runs import CASES, Script, finding
from xnai_validate.model.results.report import RunReport
from xnai_validate.model.results.report_builder import build_report
from xnai_validate.model.results.status import Status
from xnai_validate.report.html.page import FACT_CAP, IN_FULL
from xnai_validate.report.registry import FORMATS
from xnai_validate.report.view import View


def page(report: RunReport) -> html.HtmlElement:
    """The page, parsed."""
    return html.document_fromstring(FORMATS.get("html").text(report, View()))


def texts(root: html.HtmlElement, path: str) -> list[str]:
    """The texts of the elements that an XPath finds, on one line each."""
    return [" ".join(" ".join(node.itertext()).split()) for node in elements(root, path)]


def elements(root: html.HtmlElement, path: str) -> list[html.HtmlElement]:
    """The elements that an XPath finds."""
    return cast(list[html.HtmlElement], root.xpath(path))


def attributes(root: html.HtmlElement, path: str) -> list[str]:
    """The values of the attributes that an XPath finds."""
    return [str(value) for value in cast(list[object], root.xpath(path))]


@pytest.mark.parametrize("case", CASES)
def test_it_agrees_with_the_report(case: str) -> None:
    """Verdict, counts, problems, criteria and every check are on the page."""
    report = build_report(CASES[case][1]())
    root = page(report)
    assert texts(root, "//p[@class='verdict']") == [f"{report.verdict.upper()} exit {report.exit_code}"]
    s = report.summary
    always = {"passed": s.pass_ + s.flaky + s.warn, "failed": s.fail, "not measured": s.error, "skipped": s.skip}
    others = {"waived": s.waived, "warned": s.warn, "flaky": s.flaky}
    counts = {**always, **{word: count for word, count in others.items() if count}}
    tiles = texts(root, "//section[@class='tiles']/div")
    assert sorted(tiles) == sorted(f"{count} {word}" for word, count in counts.items())
    assert len(elements(root, "//details[@class='check']")) == len(report.checks)
    assert len(texts(root, "//h2[text()='Success criteria ']/..//tr")) == 0
    unmet = sum(criterion.met is False for criterion in report.criteria)
    assert texts(root, "//section//td/b[@class='bad']").count("not met") == unmet
    cards = len(elements(root, "//article"))
    assert cards == len(report.causes) + s.warn + s.flaky + s.waived


def test_a_failure_names_its_fix() -> None:
    """The card of a failure has what was wanted, what was measured, the fix, the place and what it blocked."""
    root = page(build_report(CASES["failed"][1]()))
    (card,) = [text for text in texts(root, "//article") if "streaming/stream:first-token" in text]
    assert "first_event_ms at most 2000 2604.31" in card
    assert "To do: Is the proxy buffering? See X-Accel-Buffering." in card
    assert "checks/streaming/stream.yaml:15" in card
    (root_cause,) = [text for text in texts(root, "//article") if "services/gateway:up" in text]
    assert "connection refused by 127.0.0.1:8080" in root_cause
    assert "(5 checks)" in root_cause
    assert "expected" not in root_cause, "an answer that never came has no columns"


def test_the_page_shows_where_a_check_fails() -> None:
    """The card of a failure names the places, and a row of the check has the result of each."""
    root = page(build_report(CASES["places"][1]()))
    (card,) = [text for text in texts(root, "//article") if "services/gateway:health" in text]
    assert "from pass at edge; fail at inside: status: expected 200, got 502" in card
    rows = texts(root, "//details[@id='services/gateway:health']//th[text()='measured from']/../../..//tr")
    assert rows == [
        "measured from result reason time",
        "edge pass 4.0 ms",
        "inside fail status: expected 200, got 502 9.0 ms",
    ]


def test_the_page_loads_nothing_and_its_policy_names_its_own_script() -> None:
    """There is no address to load from, and the policy allows the page's own style and script only."""
    text = FORMATS.get("html").text(build_report(CASES["failed"][1]()), View())
    root = html.document_fromstring(text)
    assert not elements(root, "//@src | //link | //iframe | //img | //object | //form")
    assert all(link.startswith("#") for link in attributes(root, "//@href"))
    (policy,) = attributes(root, "//meta[@http-equiv='Content-Security-Policy']/@content")
    for tag, directive in (("style", "style-src"), ("script", "script-src")):
        (inner,) = re.findall(f"<{tag}>(.*?)</{tag}>", text, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(inner.encode()).digest()).decode()
        assert f"{directive} 'sha256-{digest}'" in policy
    assert policy.startswith("default-src 'none'")


@settings(deadline=None, max_examples=100)
@given(
    st.one_of(st.text(st.characters(codec=None), max_size=60), st.sampled_from(["</script><script>x()", "' onx=y '"]))
)
def test_no_text_becomes_markup(text: str) -> None:
    """Whatever a server sent, the page has the elements that it has for harmless text."""

    def made(inner: str) -> list[str]:
        script = Script(inner, "x")
        findings = (finding("x", "equals", 1, inner), finding(f"json {inner}", "contains", inner, [inner]))
        script.check("a/b:c", inner, Status.FAIL, reason=inner, findings=findings, fix=inner, facts={"f": inner})
        script.notice(inner)
        report = build_report(script.events())
        report = replace(report, checks=(replace(report.checks[0], target=f"the {inner}"),))
        whole = FORMATS.get("html").text(report, View())
        assert "\x00" not in whole
        return [node.tag for node in html.document_fromstring(whole).iter() if isinstance(node.tag, str)]

    assert made(text) == made("x" if text.strip() else text)


def test_a_long_report_stays_readable() -> None:
    """Facts that are long are cut, and those of passed checks beyond a number are left to the JSON report."""
    script = Script("Long", "long")
    for number in range(IN_FULL + 10):
        script.check(f"a/b:c{number}", "T", facts={"body": "y" * 5000})
    script.check("a/b:last", "T", Status.FAIL, reason="no", facts={"body": "z" * 5000})
    root = page(build_report(script.events()))
    shown = texts(root, "//table[@class='facts']//td[2]")
    assert len(shown) == IN_FULL + 1
    assert all(len(text) < FACT_CAP + 40 for text in shown)
    assert shown[-1].startswith("z")
    assert len(elements(root, "//details[@class='check']")) == IN_FULL + 11
