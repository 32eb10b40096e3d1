"""The same work in the words of each tool: N requests to a static server, each with its status verified."""

from __future__ import annotations

import json
from pathlib import Path

from bench.measure import Subject
from bench.tools import Installed


def ours(home: Path, port: int, count: int, tool: Installed) -> Subject:
    """A profile with one suite of `count` checks of kind http.request, run whole, with its report."""
    suite, profile = f"bench/static{count}", home / f"bench{count}.yaml"
    (home / "checks/bench").mkdir(parents=True, exist_ok=True)
    entries = "".join(
        f"  - id: c{number:05}\n"
        f"    title: Path {number} answers\n"
        "    kind: http.request\n"
        "    target: api\n"
        f"    with: {{path: /c/{number}}}\n"
        "    expect: {status: 200}\n"
        for number in range(count)
    )
    (home / f"checks/{suite}.yaml").write_text(f"title: Static server\nchecks:\n{entries}", encoding="utf-8")
    profile.write_text(
        f"title: {count} requests\ntargets:\n  api: {{url: http://127.0.0.1:{port}}}\nsuites: [{suite}]\n"
        "limits: {concurrency: 16, deadline: 5m}\n",
        encoding="utf-8",
    )
    argv = (tool.ours, "run", str(profile), "--path", str(home), "--quiet", "--format", "json")
    return Subject("xnai-validate", argv, cwd=home)


def dry(subject: Subject) -> Subject:
    """The same run, ended before anything is measured: what loading and compiling takes."""
    return Subject("xnai-validate --dry-run", (*subject.argv, "--dry-run"), cwd=subject.cwd)


def shell_loop(home: Path, port: int, count: int, check_http: str | None, curl: str | None) -> Subject | None:
    """A shell loop that starts `check_http` (else curl) once a request."""
    if check_http:
        name, command = "check_http loop", f"{check_http} -I 127.0.0.1 -p {port} -u /c/$i >/dev/null"
    elif curl:
        name, command = "curl loop", f"{curl} -fsS -o /dev/null http://127.0.0.1:{port}/c/$i"
    else:
        return None
    return Subject(name, ("sh", "-c", f"i=0; while [ $i -lt {count} ]; do {command} || exit 1; i=$((i+1)); done"), home)


def pytest_httpx(home: Path, port: int, count: int, tool: Installed) -> Subject:
    """A parametrised pytest with one httpx client for all."""
    folder = home / "pytest"
    folder.mkdir(exist_ok=True)
    (folder / "test_static.py").write_text(
        "import httpx\nimport pytest\n\n\n"
        "@pytest.fixture(scope='session')\ndef client():\n"
        f"    with httpx.Client(base_url='http://127.0.0.1:{port}') as one:\n        yield one\n\n\n"
        f"@pytest.mark.parametrize('number', range({count}))\ndef test_path(client, number):\n"
        "    assert client.get(f'/c/{number}').status_code == 200\n",
        encoding="utf-8",
    )
    # httpx brings anyio, whose plugin for pytest is of no use here and would only make it slower.
    env = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    argv = (tool.python, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", str(folder), "test_static.py")
    return Subject("pytest + httpx", argv, folder, env)


def tavern(home: Path, port: int, count: int, tool: Installed) -> Subject:
    """One tavern file with a document a test."""
    folder = home / "tavern"
    folder.mkdir(exist_ok=True)
    documents = [
        {
            "test_name": f"path {number}",
            "stages": [
                {
                    "name": "answers",
                    "request": {"url": f"http://127.0.0.1:{port}/c/{number}", "method": "GET"},
                    "response": {"status_code": 200},
                }
            ],
        }
        for number in range(count)
    ]
    text = "\n---\n".join(json.dumps(document) for document in documents)  # JSON is YAML
    (folder / "test_static.tavern.yaml").write_text(f"---\n{text}\n", encoding="utf-8")
    argv = (tool.python, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", str(folder), str(folder))
    return Subject("tavern", argv, folder)


def stepci(home: Path, port: int, count: int, command: str) -> Subject:
    """One workflow with a test a request."""
    folder = home / "stepci"
    folder.mkdir(exist_ok=True)
    tests = {
        f"path{number}": {
            "steps": [
                {
                    "http": {
                        "url": f"http://127.0.0.1:{port}/c/{number}",
                        "method": "GET",
                        "check": {"status": 200},
                    }
                }
            ]
        }
        for number in range(count)
    }
    workflow = {"version": "1.1", "name": "static", "tests": tests}
    (folder / "workflow.yml").write_text(json.dumps(workflow), encoding="utf-8")  # JSON is YAML
    return Subject("stepci", (command, "run", "workflow.yml"), folder, {"STEPCI_DISABLE_ANALYTICS": "1"})


def chaos_toolkit(home: Path, port: int, count: int, tool: Installed) -> Subject:
    """A steady-state hypothesis with a probe a request, verified once."""
    folder = home / "chaos"
    folder.mkdir(exist_ok=True)
    probes = [
        {
            "type": "probe",
            "name": f"path {number}",
            "tolerance": 200,
            "provider": {"type": "http", "url": f"http://127.0.0.1:{port}/c/{number}"},
        }
        for number in range(count)
    ]
    experiment = {
        "title": "static server",
        "description": "requests",
        "steady-state-hypothesis": {"title": "all paths answer", "probes": probes},
        "method": [],
    }
    (folder / "experiment.json").write_text(json.dumps(experiment), encoding="utf-8")
    chaos = str(tool.folder / "bin/chaos")
    argv = (chaos, "--no-version-check", "run", "--hypothesis-strategy", "before-method-only", "experiment.json")
    return Subject("Chaos Toolkit", argv, folder)
