"""The Python API: a run from a program gives the report that the command gives."""

from __future__ import annotations

import asyncio
import traceback
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from tests.serving import Quiet, serving
from xnai_validate.api import ConfigError, Event, RunReport, Status, plan, run, run_async

SUITE = """
title: Own
defaults: {target: web}
checks:
  - {id: page, title: Page, kind: http.request, with: {path: /}, tags: first}
  - {id: missing, title: Missing, kind: http.request, with: {path: /missing}}
"""


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a profile of two checks, as the current one."""
    for name, text in (("profiles/mine.yaml", "title: Mine\nsuites: [own/*]\n"), ("checks/own/two.yaml", SUITE)):
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    with (tmp_path / "profiles/mine.yaml").open("a", encoding="utf-8") as file:
        file.write("targets: {web: {url: 'http://127.0.0.1:9'}}\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XNAI_VALIDATE_STATE", str(tmp_path / "state"))
    return tmp_path


@pytest.fixture
def url() -> Iterator[str]:
    """A server with one page."""

    class Pages(Quiet, BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200 if self.path == "/" else 404)
            self.send_header("Content-Length", "0")
            self.end_headers()

    with serving(Pages) as address:
        yield address


def test_a_run_returns_its_report(home: Path, url: str) -> None:
    """Verdict, statuses and facts; events come while it runs; the run is stored."""
    events: list[Event] = []
    report = run("mine", targets={"web": url}, on_event=events.append)
    assert isinstance(report, RunReport)
    assert (report.exit_code, report.verdict) == (1, "failed")
    assert {check.id: check.status for check in report.checks} == {
        "own/two:page": Status.PASS,
        "own/two:missing": Status.FAIL,
    }
    assert report.checks[1].facts["status"] == 404
    assert (events[0].event, events[-1].event) == ("run-started", "run-finished")
    assert len(list((home / "state/runs").glob("*.jsonl"))) == 1


def test_it_can_be_awaited(home: Path, url: str) -> None:
    """`run_async` in an event loop of the program; `run` there is an error."""

    async def both() -> RunReport:
        with pytest.raises(RuntimeError, match="event loop"):
            run("mine")
        return await run_async("mine", targets={"web": url}, only=["own/two:page"])

    report = asyncio.run(both())
    assert (report.exit_code, len(report.checks)) == (0, 1)


def test_the_options_are_those_of_the_command(home: Path, url: str) -> None:
    """Selection, a stack as a value, and the statuses that fail a run."""
    stack = {"targets": {"web": {"url": url}}}
    assert run("mine", stack=stack, tags=["first"]).exit_code == 0
    assert [check.id for check in run("mine", stack=stack, ids=["own/two:missing"]).checks] == ["own/two:missing"]
    assert run("mine", stack={"targets": {}}, fail_if_none=True).verdict == "undecided"
    assert run("mine", stack={"targets": {}}, fail_on=[Status.SKIP]).exit_code == 1


def test_a_plan_is_made_without_a_run(home: Path) -> None:
    """Ids in order, and no journal."""
    assert [check.id for check in plan("mine").checks] == ["own/two:page", "own/two:missing"]
    assert not (home / "state").exists()


def test_an_error_of_a_run_has_no_other_as_its_context(home: Path) -> None:
    """A traceback, and a failure of pytest, begin with the error itself."""
    with pytest.raises(ConfigError) as error:
        run("nowhere")
    assert "event loop" not in "".join(traceback.format_exception(error.value))


def test_errors_are_exceptions(home: Path) -> None:
    """With the sentence that the command prints."""
    with pytest.raises(ConfigError, match='unknown profile "mien"'):
        run("mien")
    with pytest.raises(ConfigError, match="no check of mine is selected"):
        run("mine", tags=["first"], skip_tags=["first"])
