"""Every file of examples/, the action and the image: what they hold is run, or verified against the sources."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.e2e.tool import TOOL, environment, tool
from tests.packaging.interpreters import ROOT
from tests.serving import Quiet, serving

EXAMPLES = ROOT / "examples"
TESTED = {
    "profiles/shop.yaml",
    "profiles/waivers.yaml",
    "checks/shop/front.yaml",
    "compose.yaml",
    "kubernetes-job.yaml",
    "gitlab-ci.yml",
    "github-workflow.yml",
    "github-shards.yml",
    "gitlab-shards.yml",
}


def loaded(path: Path) -> Any:
    """A YAML file, in which `on` is a key as GitHub reads it."""
    return yaml.safe_load(path.read_text(encoding="utf-8"))


@pytest.fixture
def web() -> Iterator[str]:
    """The web server of the shop."""

    class Page(Quiet, BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

    with serving(Page) as url:
        yield url


def in_bash(script: str, home: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a script as a runner does, with the tool on its path."""
    path = f"{Path(TOOL).parent}:{os.environ['PATH']}"
    return subprocess.run(
        ["bash", "-eo", "pipefail", "-c", script],
        cwd=home,
        env={**environment(home / "state"), "PATH": path, "XNAI_VALIDATE_PATH": str(EXAMPLES), **variables},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_every_example_is_tested_here() -> None:
    """A new file needs a test."""
    assert {str(path.relative_to(EXAMPLES)) for path in EXAMPLES.rglob("*") if path.is_file()} == TESTED


def test_profile_suite_and_waivers_are_linted_and_run(tmp_path: Path, web: str) -> None:
    """Without errors; green where the web server answers, red where it does not."""
    done = tool(tmp_path, "lint", str(EXAMPLES / "profiles"), str(EXAMPLES / "checks"))
    assert (done.code, done.stdout) == (0, "3 checks in 1 suite and 1 profile: no errors\n"), done.stderr
    run = ("run", "shop", "--path", str(EXAMPLES), "--target")
    assert tool(tmp_path, *run, f"web={web}").code == 0
    assert tool(tmp_path, *run, "web=http://127.0.0.1:9").code == 1


def test_the_action_runs_and_keeps_the_reports(tmp_path: Path, web: str) -> None:
    """Its script, with the inputs as a workflow gives them: annotations, summary, reports and the exit code."""
    action = loaded(ROOT / "action.yml")
    steps = action["runs"]["steps"]
    (script,) = [step["run"] for step in steps if step.get("id") == "run"]
    assert "${{" not in script, "an input within a script could be code"
    summary, output = tmp_path / "summary", tmp_path / "output"
    summary.write_text("before\n", encoding="utf-8")
    files = {"GITHUB_STEP_SUMMARY": str(summary), "GITHUB_OUTPUT": str(output)}
    for url, code in ((web, 0), ("http://127.0.0.1:9", 1)):
        done = in_bash(
            script, tmp_path, **files, PROFILES="shop", REPORTS="reports", ARGUMENTS=f"--target\nweb={url}\n"
        )
        assert done.returncode == code, done.stderr
        assert output.read_text(encoding="utf-8").endswith(f"exit-code={code}\n")
    assert "::error file=" in done.stdout
    text = summary.read_text(encoding="utf-8")
    assert text.startswith("before\n## PASSED: The shop\n")
    assert "## FAILED: The shop" in text
    assert json.loads((tmp_path / "reports/report.json").read_text(encoding="utf-8"))["exit_code"] == 1
    assert {path.name for path in (tmp_path / "reports").iterdir()} == {"report.html", "report.json", "junit.xml"}
    used = set(re.findall(r"inputs\.([a-z-]+)", (ROOT / "action.yml").read_text(encoding="utf-8")))
    assert used == set(action["inputs"])


def test_the_workflow_uses_the_inputs_of_the_action() -> None:
    """No input is misspelled, and the required one is given."""
    inputs = loaded(ROOT / "action.yml")["inputs"]
    steps = loaded(EXAMPLES / "github-workflow.yml")["jobs"]["validate"]["steps"]
    (step,) = [each for each in steps if "with" in each]
    assert set(step["with"]) <= set(inputs)
    assert {name for name, each in inputs.items() if each.get("required")} <= set(step["with"])


def test_the_gitlab_job_runs(tmp_path: Path, web: str) -> None:
    """Its script writes the files that it names as artifacts."""
    template = loaded(EXAMPLES / "gitlab-ci.yml")
    job = template["validate"]
    variables = {**template["variables"], "XNAI_ARGUMENTS": f"--target web={web}"}
    done = in_bash("\n".join(job["script"]), tmp_path, **variables)
    assert done.returncode == 0, done.stderr
    artifacts = job["artifacts"]
    assert all((tmp_path / name).is_file() for name in (*artifacts["paths"], artifacts["reports"]["junit"]))


def test_init_reads_the_compose_file(tmp_path: Path) -> None:
    """The services of the project are those of the example; what is written of them has no errors."""
    done = tool(tmp_path, "init", "--from", str(EXAMPLES / "compose.yaml"))
    assert done.code == 0, done.stderr
    (profile,) = (tmp_path / "profiles").glob("*.yaml")
    assert set(loaded(profile)["targets"]) == {"web", "cache"}
    assert tool(tmp_path, "lint", "profiles", "checks").code == 0


@pytest.mark.parametrize("name", ["compose.yaml", "kubernetes-job.yaml"])
def test_the_containers_have_commands_that_the_tool_takes(tmp_path: Path, web: str, name: str) -> None:
    """The command is run with the variables of the container; its rights are few, its root cannot be written to."""
    document = loaded(EXAMPLES / name)
    if name == "compose.yaml":
        service = document["services"]["validate"]
        command, names = service["command"], set(service["environment"])
        assert service["read_only"]
        assert service["cap_drop"] == ["ALL"]
        assert "/tmp" in service["tmpfs"]
        assert (EXAMPLES / service["build"] / "Dockerfile").is_file()
        assert ".:/project:ro" in service["volumes"]
    else:
        spec = document["spec"]["template"]["spec"]
        (container,) = spec["containers"]
        command, names = container["args"], {each["name"] for each in container["env"]}
        security = container["securityContext"]
        assert security["readOnlyRootFilesystem"]
        assert not security["allowPrivilegeEscalation"]
        assert spec["securityContext"]["runAsUser"] == 10001
        assert {each["name"] for each in container["volumeMounts"]} == {each["name"] for each in spec["volumes"]}
    assert {"SHOP_URL", "SHOP_CACHE"} <= names
    done = in_bash(" ".join(["xnai-validate", *command]), tmp_path, SHOP_URL=web)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_image_is_small_and_has_no_rights() -> None:
    """Built in a stage of its own, run by a user without a name on the host, with paths that the sources have."""
    text = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    lines = text.replace("\\\n", " ").splitlines()
    instructions = [line.split(maxsplit=1) for line in lines if line and not line.startswith("#")]
    last = dict(instructions[max(n for n, each in enumerate(instructions) if each[0] == "FROM") :])
    assert last["USER"] == "10001"
    assert "--from=build" in last["COPY"]
    assert json.loads(last["ENTRYPOINT"]) == ["xnai-validate"]
    health = json.loads(last["HEALTHCHECK"].partition("CMD ")[2])
    assert health[:3] == ["xnai-validate", "run", "preflight"]
    assert "XNAI_VALIDATE_STATE=/state" in last["ENV"]
    assert last["VOLUME"] == "/state"
    ignored = (ROOT / ".dockerignore").read_text(encoding="utf-8").split()
    needed = {"xnai_validate", "checks", "profiles", "contracts", "pyproject.toml", "README.md", "LICENSE"}
    assert not needed & set(ignored)


def test_the_shards_of_the_action_are_merged(tmp_path: Path, web: str) -> None:
    """Each job of the matrix gives a shard to the action; the last job makes one report of the artifacts."""
    steps = loaded(ROOT / "action.yml")["runs"]["steps"]
    (script,) = [step["run"] for step in steps if step.get("id") == "run"]
    jobs = loaded(EXAMPLES / "github-shards.yml")["jobs"]
    (step,) = [each for each in jobs["validate"]["steps"] if "with" in each]
    assert set(step["with"]) <= set(loaded(ROOT / "action.yml")["inputs"])
    matrix = jobs["validate"]["strategy"]["matrix"]["shard"]
    assert (step["with"]["shard"], len(matrix)) == ("${{ matrix.shard }}/3", 3)
    summary, output = tmp_path / "summary", tmp_path / "output"
    files = {"GITHUB_STEP_SUMMARY": str(summary), "GITHUB_OUTPUT": str(output)}
    summary.touch()
    for number in matrix:
        inputs = {"PROFILES": "shop", "SHARD": f"{number}/3", "REPORTS": f"shards/shard-{number}"}
        assert in_bash(script, tmp_path, **files, **inputs, ARGUMENTS=f"--target\nweb={web}\n").returncode == 0
    last = jobs["verdict"]["steps"][-1]["run"]
    done = in_bash(last, tmp_path, **files)
    assert done.returncode == 0, done.stderr
    assert "## PASSED: The shop\n" in summary.read_text(encoding="utf-8")
    (tmp_path / "shards/shard-2/report.json").unlink()
    refused = in_bash(last, tmp_path, **files)
    assert (refused.returncode, "shard 2/3 is missing" in refused.stderr) == (2, True)


def test_the_shards_of_gitlab_are_merged(tmp_path: Path, web: str) -> None:
    """GitLab numbers the jobs of `parallel` from 1."""
    template = loaded(EXAMPLES / "gitlab-shards.yml")
    variables = {**template["variables"], "XNAI_ARGUMENTS": f"--target web={web}"}
    total = template["shards"]["parallel"]
    for index in range(1, total + 1):
        node = {"CI_NODE_INDEX": str(index), "CI_NODE_TOTAL": str(total)}
        done = in_bash("\n".join(template["shards"]["script"]), tmp_path, **variables, **node)
        assert done.returncode == 0, done.stderr
    done = in_bash("\n".join(template["verdict"]["script"]), tmp_path, **variables)
    assert done.returncode == 0, done.stderr
    assert all((tmp_path / name).is_file() for name in ("junit.xml", "report.html"))
