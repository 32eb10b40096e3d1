"""What holds of every format, whichever there are."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.report.runs import CASES, Script, at_least, finding
from xnai_validate.model.judging.rules import Level
from xnai_validate.model.results.exchange import Exchange
from xnai_validate.model.results.report import Promise
from xnai_validate.model.results.report_builder import build_report
from xnai_validate.model.results.status import Status
from xnai_validate.report.registry import FORMATS
from xnai_validate.report.view import View

OF_REPORTS = [name for name in FORMATS.names() if not FORMATS.get(name).streaming]


@pytest.mark.parametrize("name", OF_REPORTS)
@pytest.mark.parametrize("case", CASES)
def test_every_run_can_be_written(name: str, case: str) -> None:
    """Each format that is made from a report gives text for every kind of run, and always the same."""
    report = build_report(CASES[case][1]())
    text = FORMATS.get(name).text(report, View())
    assert text.strip()
    assert FORMATS.get(name).text(report, View()) == text


@pytest.mark.parametrize("name", OF_REPORTS)
def test_a_criterion_that_is_not_judged_is_no_failure(name: str) -> None:
    """Every format for people gives the reason, and none reports the criterion as met or not met."""
    script = Script("Calm", "x", (replace(at_least("breakers", 12), not_judged="needs --allow disruptive"),))
    script.check("breakers/cycle:opens", "It opens", Status.SKIP, reason="disruptive checks are not allowed here")
    text = FORMATS.get(name).text(build_report(script.events()), View())
    for word in ("not met", "not ok", "<failure", "::error", "criterion_met{", '"met":true', '"met":false'):
        assert word not in text
    assert name in ("github", "prometheus") or "needs --allow disruptive" in text


@pytest.mark.parametrize("name", OF_REPORTS)
def test_every_format_shows_the_warnings_of_the_run(name: str) -> None:
    """A warning outside checks, such as certificates that are not verified, is in every report; metrics count it."""
    script = Script("Calm", "x")
    script.check("services/api:up", "Up")
    script.notice("certificates of api are not verified")
    text = FORMATS.get(name).text(build_report(script.events()), View())
    if name == "prometheus":
        assert 'xnai_validate_run_notices{profile="x",level="warning"} 1\n' in text
    else:
        assert "certificates of api are not verified" in text


@pytest.mark.parametrize("name", sorted(set(OF_REPORTS) - {"prometheus"}))
@pytest.mark.parametrize("status", [Status.FAIL, Status.WARN])
def test_every_format_shows_the_promise_of_a_failure(name: str, status: Status) -> None:
    """The name of the contract that the check verifies, and its place in the documents of the stack."""
    script = Script("Broken", "x")
    practice = status is Status.WARN
    promise = Promise(id="api.errors.envelope", text="One envelope.", source="errors.py", practice=practice)
    level: Level = "warn" if practice else "expect"
    found = (finding("status", "equals", 400, 500, level=level),)
    script.check("api/errors:envelope", "Errors", status, reason="status", findings=found, promise=promise)
    text = FORMATS.get(name).text(build_report(script.events()), View())
    assert "One envelope." in text
    assert "errors.py" in text
    assert "api.errors.envelope" in text


@pytest.mark.parametrize("name", sorted(set(OF_REPORTS) - {"prometheus"}))
def test_every_format_shows_the_whole_evidence(name: str) -> None:
    """The request, the response, each line of the log of the target, and the command that asks again."""
    asked = Exchange(protocol="http", request="GET http://h/down", response="503 Unavailable", response_bytes=2)
    log = Exchange(protocol="file", request="/var/log/api.log", response_body="first line\nsecond line\nthird line")
    script = Script("Broken", "x")
    broken = finding("status", "equals", 200, 503)
    script.check("a/b:c", "C", Status.FAIL, findings=(broken,), exchanges=(asked, log))
    text = FORMATS.get(name).text(build_report(script.events()), View())
    for part in (
        *("GET http://h/down", "503 Unavailable", "first line", "second line", "third line"),
        "curl -sS -i http://h/down",
    ):
        assert part in text


@pytest.mark.parametrize("name", sorted(set(OF_REPORTS) - {"prometheus"}))
def test_every_format_shows_where_a_check_fails(name: str) -> None:
    """The places at which a check that was measured from several passes, fails, and was not measured."""
    text = " ".join(FORMATS.get(name).text(build_report(CASES["places"][1]()), View(120)).split())
    assert "pass at edge; fail at inside: status: expected 200, got 502" in text
    assert "pass at edge; error at inside: worker inside (tcp" in text
