"""One run, reported on the terminal, as JSON and as JUnit: all three agree, on both layouts of the healthy stack."""

from __future__ import annotations

import json
import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

import jsonschema
import pytest

from tests.e2e.tool import all_gone, environment, report, tool
from xnai_validate.model.results.report import RunReport

pytestmark = pytest.mark.alone


@dataclass(frozen=True, slots=True)
class Reports:
    """The reports of one run of phase 4.1."""

    layout: str
    code: int
    stdout: str
    stderr: str
    json: Path
    junit: Path
    jsonl: Path
    report: RunReport


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Reports]:
    """Phase 4.1 on the healthy embedded stack of each layout, with every report; both at once."""
    homes = {layout: tmp_path_factory.mktemp(f"layout-{layout}") for layout in ("A", "B")}
    with ThreadPoolExecutor() as pool:
        return dict(zip(homes, pool.map(_run, homes, homes.values()), strict=True))


def _run(layout: str, home: Path) -> Reports:
    files = (home / "report.json", home / "junit.xml", home / "events.jsonl")
    mark = environment(home)["XNAI_TEST_MARK"]
    outputs = [argument for file in files for argument in ("-o", str(file))]
    done = tool(
        home, "run", "phase4.1", "--demo", "--layout", layout, *outputs, env={"XNAI_TEST_MARK": mark}, fork=False
    )
    assert all_gone(mark), "processes are left over"
    return Reports(layout, done.code, done.stdout, done.stderr, files[0], files[1], files[2], report(files[0]))


@pytest.fixture(params=["A", "B"])
def reports(request: pytest.FixtureRequest, runs: dict[str, Reports]) -> Reports:
    """The run on one layout."""
    return runs[request.param]


def test_everything_passes(reports: Reports) -> None:
    """The healthy stack passes phase 4.1: no failure, error, warning or flaky check, and all criteria met.

    Skipped are only the checks of the other layout, and those that need a consent which was not given.

    Those about checks that need a consent which was not given are not judged, with that reason.
    """
    not_well = [(c.id, str(c.status), c.reason) for c in reports.report.checks if c.status not in ("pass", "skip")]
    assert not not_well
    assert reports.code == 0
    other = "B" if reports.layout == "A" else "A"
    assert {c.reason for c in reports.report.checks if c.status == "skip"} == {
        "disruptive checks are not allowed here; allow them with --allow disruptive",
        f"for layout {other}; this stack has layout {reports.layout}",
    }
    criteria = {criterion.name: (criterion.met, criterion.not_judged) for criterion in reports.report.criteria}
    assert criteria.pop("breakers passed") == (None, "needs --allow disruptive")
    assert "not judged: needs --allow disruptive" in reports.stdout
    assert set(criteria.values()) == {(True, None)}


def test_catalogue_is_as_large_as_promised(reports: Reports) -> None:
    """Every category has at least as many checks as phase 4.1 asks for."""
    least = {
        "services": 20,
        "api": 15,
        "streaming": 8,
        "dependencies": 6,
        "vikunja": 5,
        "voice": 5,
        "resources": 5,
        "environment": 5,
        "performance": 10,
    }
    assert sum(check.category == "breakers" for check in reports.report.checks) >= 12
    passed = [check.category for check in reports.report.checks if check.status == "pass"]
    assert {category: passed.count(category) for category in least if passed.count(category) < least[category]} == {}


def test_every_check_can_be_understood(reports: Reports) -> None:
    """Each check has a title, names what it covers and how to fix what it finds."""
    for check in reports.report.checks:
        assert check.title, check.id
        assert check.covers, check.id
        assert check.source.line > 0, check.id


def test_json_obeys_its_published_schema(reports: Reports, tmp_path: Path) -> None:
    """The JSON report is valid by the schema that `schema report` prints."""
    schema = json.loads(tool(tmp_path, "schema", "report").stdout)
    jsonschema.Draft202012Validator(schema).validate(json.loads(reports.json.read_text("utf-8")))


def test_reports_agree(reports: Reports) -> None:
    """The counts on the terminal, in JSON, in JUnit and in the events are the same."""
    summary = reports.report.summary
    found = re.search(r"(\d+) passed, (\d+) failed, (\d+) errors, (\d+) skipped; (\d+) checks", reports.stdout)
    assert found is not None, reports.stdout
    total = len(reports.report.checks)
    assert tuple(map(int, found.groups())) == (summary.pass_, summary.fail, summary.error, summary.skip, total)
    suites = ElementTree.parse(reports.junit).getroot()
    # Success criteria are test cases too, of a suite of their own; one that is not judged is skipped.
    unjudged = sum(criterion.met is None for criterion in reports.report.criteria)
    assert len(list(suites.iter("testcase"))) == total + len(reports.report.criteria)
    assert len(list(suites.iter("skipped"))) == summary.skip + unjudged
    assert len(list(suites.iter("failure"))) + len(list(suites.iter("error"))) == 0
    events = [json.loads(line) for line in reports.jsonl.read_text("utf-8").splitlines()]
    assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
    statuses = {event["id"]: event["status"] for event in events if event["event"] == "check-finished"}
    assert statuses == {check.id: str(check.status) for check in reports.report.checks}


def test_no_secret_is_reported(reports: Reports) -> None:
    """The stack's password and token appear in no report."""
    everything = (
        reports.stdout
        + reports.stderr
        + reports.json.read_text()
        + reports.junit.read_text()
        + reports.jsonl.read_text()
    )
    assert not re.search(r"tk_[0-9a-f]{40}", everything.replace("tk_" + "0" * 40, ""))
    assert "password=" not in everything
