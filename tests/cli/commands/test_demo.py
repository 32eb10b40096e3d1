"""The embedded stack from the command line: `demo`, `run --demo`, `run --stack`."""

from __future__ import annotations

import json
import os
import re
import signal
from pathlib import Path

import psutil

from tests.cli.conftest import Place
from tests.cli.process import finish, start
from xnai_validate.demo.defects import CATALOGUE

PROFILE = """\
title: The embedded stack
extends: stack
suites: [demo/health]
"""
SUITE = """\
title: Health
checks:
  - {id: health, title: The API is well, kind: http.request, target: api, with: {path: /health}, expect: {status: 200}}
"""


def with_profile(path: Path) -> None:
    """A profile of one check of the embedded stack."""
    (path / "checks" / "demo").mkdir()
    (path / "checks" / "demo" / "health.yaml").write_text(SUITE)
    (path / "profiles" / "embedded.yaml").write_text(PROFILE)


def test_demo_serves_until_a_signal(place: Place) -> None:
    """demo prints one line of JSON when all is ready; a run takes its state file; SIGINT ends it with 0, all gone."""
    with_profile(place.path)
    process = start("demo", "--state", "stack.json", "--layout", "B")
    try:
        assert process.stdout is not None
        description = json.loads(process.stdout.readline())
        assert description["layout"] == "B"
        pids = [target["pid"] for target in description["targets"].values() if "pid" in target]
        assert pids
        result = place.run("embedded", "--stack", "stack.json")
        assert result.exit_code == 0, result.output
        assert description["targets"]["api"]["url"] in result.stdout
        process.send_signal(signal.SIGINT)
        code, rest, err = finish(process)
    finally:
        process.kill()
    assert (code, rest) == (0, "")
    assert description["targets"]["api"]["url"] in err
    assert [pid for pid in pids if psutil.pid_exists(pid) and psutil.Process(pid).status() != "zombie"] == []


def test_run_demo_starts_runs_and_stops(place: Place) -> None:
    """run --demo starts the stack itself, and leaves no process."""
    with_profile(place.path)
    before = set(psutil.Process(os.getpid()).children(recursive=True))
    result = place.run("embedded", "--demo", "--format", "json")
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["summary"]["pass"] == 1
    assert "the embedded stack is ready after" in result.stderr
    assert set(psutil.Process(os.getpid()).children(recursive=True)) == before


def test_defects_are_listed_and_unknown_ones_refused(place: Place) -> None:
    """Every defect is listed with what it breaks; an unknown one is refused with the nearest name."""
    listed = place.invoke("demo", "--list-defects").stdout
    assert [name for name in CATALOGUE if f"{name} " not in listed] == []
    result = place.invoke("demo", "--defect", "ui-empti")
    assert result.exit_code == 2
    assert "did you mean" in result.stderr


def test_the_defects_that_the_documents_name_exist() -> None:
    """What a reader copies from them works."""
    pages = (Path(__file__).parents[3] / "docs").glob("*.md")
    text = "".join(page.read_text(encoding="utf-8") for page in pages)
    named = set(re.findall(r"--defect ([a-z][a-z-]+)", text))
    assert named
    assert named <= set(CATALOGUE)
