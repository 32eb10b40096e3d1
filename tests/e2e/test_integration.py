"""The integration report of real runs: a healthy stack, and one with three defects of different severity."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from tests.e2e.tool import Ended, tool
from xnai_validate.report.integration.schema import integration_schema

PROFILE = """\
title: Three suites
extends: stack
suites: [own/pages, services/ports, vikunja/*]
criteria: {total: {errors: 0}}
"""
COMPILED = """\
title: Their report
integration: {phases: [three, four], whole: [all], gaps: {KG-9: Vikunja, KG-77: Something else}}
"""
SUITE = """\
title: Pages
checks:
  - {id: front, title: The front page is answered, kind: http.request, target: ui, severity: critical, with: {path: /}}
  - {id: manual, title: The manual is answered, kind: http.request, target: docs, needs: [services/ports:docs],
     with: {path: /}}
"""
CAUSES = {
    "ui-500": ("critical", "own/pages:front"),
    "docs-down": ("high", "services/ports:docs"),
    "vikunja-no-version": ("medium", "vikunja/vikunja:info"),
}


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A folder with a profile of three suites, and one that compiles its runs."""
    (tmp_path / "profiles").mkdir()
    (tmp_path / "checks" / "own").mkdir(parents=True)
    (tmp_path / "checks" / "own" / "pages.yaml").write_text(SUITE)
    (tmp_path / "profiles" / "three.yaml").write_text(PROFILE)
    (tmp_path / "profiles" / "compiled.yaml").write_text(COMPILED)
    return tmp_path


def run(home: Path, *defects: str) -> Ended:
    """Run the profile against the embedded stack with these defects."""
    options = [word for defect in defects for word in ("--defect", defect)]
    return tool(home, "run", "three", "--demo", "--quiet", *options)


def compiled(home: Path) -> dict[str, Any]:
    """Return the integration report of the last run as JSON, valid by its published schema; the command exits 0."""
    ended = tool(home, "report", "--integration", "--format", "json", "-o", "all.html", "-o", "all.md")
    assert ended.code == 0, ended.stderr
    document = json.loads(ended.stdout)
    assert isinstance(document, dict)
    Draft202012Validator(integration_schema()).validate(document)
    return document


def test_a_healthy_stack_is_ready(home: Path) -> None:
    """Nothing failed, every criterion is met: ready, and the files say so too."""
    assert run(home).code == 0
    document = compiled(home)
    assert document["readiness"]["level"] == "ready"
    assert (document["causes"], document["readiness"]["obstacles"], document["exit_code"]) == ([], [], 0)
    assert {gap["id"]: gap["title"] for gap in document["gaps"]}["KG-9"] == "Vikunja"
    assert "Integration report: ready" in (home / "all.md").read_text()
    assert "<h1>Integration report: ready</h1>" in (home / "all.html").read_text()


def test_three_defects_are_three_causes_the_gravest_first(home: Path) -> None:
    """Each defect is one root cause, in order of severity, with evidence, impact and recommendation; not ready."""
    assert run(home, *reversed(CAUSES)).code == 1
    document = compiled(home)
    causes = document["causes"]
    assert [(cause["severity"], cause["id"]) for cause in causes] == list(CAUSES.values())
    assert all(cause["evidence"] and cause["impact"] and cause["recommendation"] for cause in causes)
    assert "1 check could not be judged because of it" in causes[1]["impact"]
    readiness = document["readiness"]
    assert readiness["level"] == "not ready"
    assert [text.partition(":")[0] for text in readiness["obstacles"]] == ["critical", "high"]
    assert [text.partition(":")[0] for text in readiness["conditions"]] == ["medium"]


def test_a_defect_of_medium_severity_is_a_condition(home: Path) -> None:
    """Without a grave cause the stack is ready with conditions, though the run failed."""
    assert run(home, "vikunja-no-version").code == 1
    assert compiled(home)["readiness"]["level"] == "ready with conditions"


def test_a_profile_compiles_the_newest_runs(home: Path) -> None:
    """`run` of such a profile takes the newest run of each phase, names the missing one, and exits 3 because of it."""
    assert run(home, "vikunja-no-version").code == 1
    assert run(home).code == 0
    ended = tool(home, "run", "compiled", "--format", "json")
    document = json.loads(ended.stdout)
    assert (ended.code, document["exit_code"]) == (3, 3)
    assert len(document["runs"]) == 1
    assert document["missing"] == ["four has not run whole and to its end: xnai-validate run four"]
    assert document["readiness"]["obstacles"] == document["missing"]
    assert [gap["state"] for gap in document["gaps"] if gap["id"] in ("KG-9", "KG-77")] == ["covered", "not covered"]
    (home / "profiles" / "all.yaml").write_text(PROFILE.replace("Three suites", "All"))
    assert tool(home, "run", "all", "--demo", "--quiet").code == 0
    assert tool(home, "run", "compiled").code == 0
    assert tool(home, "run", "compiled", "three").code == 2
    # A run of a part replaces no run of the whole: what failed there was not measured again.
    assert tool(home, "run", "all", "--demo", "--quiet", "--defect", "vikunja-no-version").code == 1
    assert tool(home, "run", "all", "--demo", "--quiet", "--only", "own/pages*").code == 0
    assert tool(home, "run", "compiled").code == 1
