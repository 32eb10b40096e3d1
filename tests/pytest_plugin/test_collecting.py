"""The checks of a profile as items of pytest: one item a check, one run behind all of them."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

# pytester forgets what a run in this process imports, and modules of Rust are not initialized twice: all of it, once.
import xnai_validate.cli.app
import xnai_validate.engine  # noqa: F401
from tests.serving import Quiet, serving

pytest_plugins = "pytester"

INI = "[pytest]\naddopts = -p no:asyncio -p no:valkey -p no:schemathesis -p no:cacheprovider -p no:hypothesispytest\n"
HEAD = "title: Own\ndefaults: {target: web, tags: [slow-path]}\nchecks:\n"
FOUR = """
  - {id: good, title: Good, kind: http.request, with: {path: /good}, tags: critical}
  - {id: bad, title: Bad, kind: http.request, with: {path: /bad}, fix: Mend the page.}
  - {id: after-bad, title: After, kind: http.request, with: {path: /good}, needs: [bad]}
  - {id: known, title: Known, kind: http.request, with: {path: /bad}}
  - {id: shaky, title: Shaky, kind: http.request, with: {path: /shaky}, retry: {attempts: 3, delay: 0.01s}}
  - {id: gone, title: Gone, kind: http.request, target: nowhere, with: {path: /good}}
"""
WAIVERS = "waivers: [{{check: 'own/*:known', reason: it moves, until: {until}, owner: ops}}]\n"


@pytest.fixture
def asked() -> Counter[str]:
    """How often each path was requested."""
    return Counter()


@pytest.fixture
def url(asked: Counter[str]) -> Iterator[str]:
    """A server: /good is good, /bad is not, /shaky is good at the second request."""

    class Pages(Quiet, BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked[self.path] += 1
            good = self.path != "/bad" and (self.path != "/shaky" or asked["/shaky"] > 1)
            self.send_response(200 if good else 503)
            self.send_header("Content-Length", "0")
            self.end_headers()

    with serving(Pages) as address:
        yield address


@pytest.fixture
def home(pytester: pytest.Pytester, url: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a profile of six checks, one of whose failures is waived, and a test of its own."""
    profile = f"title: Mine\nsuites: [own/*]\ntargets: {{web: {{url: '{url}'}}, nowhere: {{}}}}\n"
    until = (datetime.now(UTC).date() + timedelta(days=9)).isoformat()
    files = {
        "profiles/mine.yaml": profile,
        "profiles/waivers.yaml": WAIVERS.format(until=until),
        "checks/own/six.yaml": HEAD + FOUR,
        "pytest.ini": INI,
        "test_other.py": "def test_other(): assert False\n",
    }
    for name, text in files.items():
        path = pytester.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    monkeypatch.setenv("XNAI_VALIDATE_STATE", str(pytester.path / "state"))
    return pytester.path


def test_each_status_becomes_an_outcome(pytester: pytest.Pytester, home: Path, asked: Counter[str]) -> None:
    """Needs are skip reasons, waivers are xfail, flaky checks pass and are listed; a failure has its evidence."""
    result = pytester.runpytest_inprocess("--xnai-profile", "mine", "-rA", "--junitxml=j.xml")
    result.assert_outcomes(passed=2, failed=1, skipped=2, xfailed=1)
    assert result.ret == 1
    output = result.stdout.str()
    for expected in (
        "Bad (own/six:bad)",
        "status: expected 200, got 503",
        "asked: GET http://127.0.0.1:",
        "repeat: curl -sS -i http://",
        "fix: Mend the page.",
        "file: checks/own/six.yaml:",
        "needs own/six:bad, which failed",
        "target nowhere is not configured",
        f"until {(datetime.now(UTC).date() + timedelta(days=9)).isoformat()} (ops): it moves",
        "mine::own/six:shaky: passed at attempt 2",
        '"status": 503',
        "2 passed, 1 of them flaky, 1 failed, 1 waived, 0 errors, 2 skipped; 6 checks",
    ):
        assert expected in output
    assert "test_other" not in output
    assert asked == {"/good": 1, "/bad": 2, "/shaky": 2}
    cases = {case.get("name"): case for case in ET.parse(home / "j.xml").iter("testcase")}
    assert set(cases) == {f"own/six:{name}" for name in ("good", "bad", "after-bad", "known", "shaky", "gone")}
    failure = cases["own/six:bad"].find("failure")
    assert failure is not None
    assert "status: expected 200, got 503" in (failure.text or "")


@pytest.mark.parametrize(
    ("arguments", "expected", "requests"),
    [
        (("-k", "good"), {"passed": 1, "deselected": 5}, {"/good": 1}),
        (("-m", "critical"), {"passed": 1, "deselected": 5}, {"/good": 1}),
        (
            ("-m", "slow_path and own", "-k", "not bad"),
            {"passed": 2, "skipped": 1, "xfailed": 1, "deselected": 2},
            None,
        ),
        (("-x",), {"failed": 1}, None),
        (("test_other.py", "-k", "good or other"), {"passed": 1, "failed": 1, "deselected": 5}, {"/good": 1}),
    ],
)
def test_selection_is_that_of_pytest(
    pytester: pytest.Pytester,
    home: Path,
    asked: Counter[str],
    arguments: tuple[str, ...],
    expected: dict[str, int],
    requests: dict[str, int] | None,
) -> None:
    """-k and -m on ids, tags and categories; only the selected checks are measured, beside the tests of named files."""
    outcomes = pytester.runpytest_inprocess("--xnai-profile", "mine", "--strict-markers", *arguments).parseoutcomes()
    assert {name: outcomes.get(name, 0) for name in expected} == expected
    assert requests is None or asked == requests


def test_last_failed_runs_only_these(pytester: pytest.Pytester, home: Path, asked: Counter[str]) -> None:
    """--lf takes the checks that failed before."""
    (home / "pytest.ini").write_text(INI.replace("-p no:cacheprovider ", ""), encoding="utf-8")
    pytester.runpytest_inprocess("--xnai-profile", "mine")
    asked.clear()
    result = pytester.runpytest_inprocess("--xnai-profile", "mine", "--lf")
    result.assert_outcomes(failed=1, deselected=5)
    assert asked == {"/bad": 1}


def test_thirty_items_in_two_processes_are_one_run(pytester: pytest.Pytester, home: Path, asked: Counter[str]) -> None:
    """Under pytest-xdist each check is measured once, and one run is stored."""
    thirty = "".join(f"  - {{id: c{n}, title: T, kind: http.request, with: {{path: /p{n}}}}}\n" for n in range(30))
    (home / "checks/own/six.yaml").write_text(HEAD + thirty, encoding="utf-8")
    result = pytester.runpytest_inprocess("--xnai-profile", "mine", "-n", "2")
    result.assert_outcomes(passed=30)
    assert asked == {f"/p{number}": 1 for number in range(30)}
    assert len(list((home / "state/runs").glob("*.jsonl"))) == 1
    assert "30 passed, 0 failed, 0 errors, 0 skipped; 30 checks" in result.stdout.str()


@pytest.mark.parametrize("workers", ["1", "2"])
def test_x_ends_after_the_first_failure_in_two_processes(
    pytester: pytest.Pytester, home: Path, asked: Counter[str], workers: str
) -> None:
    """Under pytest-xdist -x ends the run too: what waits for a check that failed is not measured, and none is twice."""
    needs = ["bad", *(f"c{number}" for number in range(20))]
    checks = "  - {id: bad, title: T, kind: http.request, with: {path: /bad}}\n" + "".join(
        f"  - {{id: c{n}, title: T, kind: http.request, with: {{path: /p{n}}}, needs: [{needs[n]}]}}\n"
        for n in range(20)
    )
    (home / "checks/own/six.yaml").write_text(HEAD + checks, encoding="utf-8")
    result = pytester.runpytest_inprocess("--xnai-profile", "mine", "-x", "-n", workers)
    outcomes = result.parseoutcomes()
    assert (result.ret != 0, outcomes["failed"], outcomes.get("passed", 0)) == (True, 1, 0)
    assert asked == {"/bad": 1}
    assert len(list((home / "state/runs").glob("*.jsonl"))) == 1


def test_last_failed_runs_only_these_in_two_processes(
    pytester: pytest.Pytester, home: Path, asked: Counter[str]
) -> None:
    """--lf knows what failed under pytest-xdist, and runs it under pytest-xdist; once it is mended, all run again."""
    (home / "pytest.ini").write_text(INI.replace("-p no:cacheprovider ", ""), encoding="utf-8")
    arguments = ("--xnai-profile", "mine", "-n", "2")
    pytester.runpytest_inprocess(*arguments).assert_outcomes(passed=2, failed=1, skipped=2, xfailed=1)
    asked.clear()
    pytester.runpytest_inprocess(*arguments, "--lf").assert_outcomes(failed=1)
    assert asked == {"/bad": 1}
    suite = home / "checks/own/six.yaml"
    suite.write_text(
        suite.read_text(encoding="utf-8").replace("{path: /bad}, fix", "{path: /good}, fix"), encoding="utf-8"
    )
    one_process = ("--xnai-profile", "mine", "-n", "1")
    pytester.runpytest_inprocess(*one_process, "--lf").assert_outcomes(passed=1)
    pytester.runpytest_inprocess(*one_process, "--lf").assert_outcomes(passed=4, skipped=1, xfailed=1)


CHAIN = """
  - {id: up, title: Up, kind: http.request, with: {path: /up}}
  - {id: left, title: Left, kind: http.request, with: {path: /left}, needs: [up]}
  - {id: right, title: Right, kind: http.request, with: {path: /right}, needs: [up]}
"""


@pytest.mark.parametrize("workers", [(), ("-n", "1")], ids=["alone", "xdist"])
def test_shards_are_the_checks_each_once(
    pytester: pytest.Pytester, home: Path, asked: Counter[str], workers: tuple[str, ...]
) -> None:
    """Each check is a test of one shard; what several need is measured in each of them; an empty shard passes."""
    (home / "checks/own/six.yaml").write_text(HEAD + CHAIN, encoding="utf-8")
    passed = 0
    for shard in ("1/4", "2/4", "3/4", "4/4"):
        result = pytester.runpytest_inprocess("--xnai-profile", "mine", "--xnai-shard", shard, *workers)
        assert result.ret == 0, shard
        passed += result.parseoutcomes().get("passed", 0)
    assert passed == 3
    assert (asked["/left"], asked["/right"]) == (1, 1)
    assert asked["/up"] >= 2


def test_of_a_shard_only_the_selected_are_measured(pytester: pytest.Pytester, home: Path, asked: Counter[str]) -> None:
    """-k narrows a shard; a selection that is empty is not an empty shard, and fails as pytest has it."""
    (home / "checks/own/six.yaml").write_text(HEAD + CHAIN, encoding="utf-8")
    outcomes = [
        pytester.runpytest_inprocess("--xnai-profile", "mine", "--xnai-shard", f"{number}/2", "-k", "left")
        for number in (1, 2)
    ]
    assert sorted(result.ret for result in outcomes) == [pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED]
    assert asked == {"/up": 1, "/left": 1}


@pytest.mark.parametrize("shard", ["3/2", "0/2", "two"])
def test_a_shard_that_is_none_is_an_error_of_usage(pytester: pytest.Pytester, home: Path, shard: str) -> None:
    """Nothing is run."""
    result = pytester.runpytest_inprocess("--xnai-profile", "mine", "--xnai-shard", shard)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert f"--xnai-shard {shard}" in result.stderr.str()


def test_an_error_of_a_profile_is_an_error_of_usage(pytester: pytest.Pytester, home: Path) -> None:
    """Nothing is run; what is wrong is said as `lint` says it."""
    result = pytester.runpytest_inprocess("--xnai-profile", "mien")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert 'unknown profile "mien"' in result.stderr.str()


def test_a_criterion_that_is_not_met_fails_the_session(pytester: pytest.Pytester, home: Path) -> None:
    """It is not an item, so it stands in the summary and in the exit status."""
    (home / "checks/own/six.yaml").write_text(HEAD + FOUR.splitlines(keepends=True)[1], encoding="utf-8")
    with (home / "profiles/mine.yaml").open("a", encoding="utf-8") as file:
        file.write("criteria: {own: {passed: {min: 2}}}\n")
    result = pytester.runpytest_inprocess("--xnai-profile", "mine")
    result.assert_outcomes(passed=1)
    assert result.ret == 1
    assert "not met: own passed, planned min 2, actual 1" in result.stdout.str()


def test_the_plugin_costs_nothing_when_it_is_not_asked_for() -> None:
    """Loaded by its entry point, it imports no module of ours but the package and itself."""
    code = (
        "import json, sys, pytest; pytest.main(['--collect-only', '-q', '-p', 'no:schemathesis', '/dev/null']); "
        "print(json.dumps([name for name in sys.modules if name.startswith('xnai_validate')]))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert set(json.loads(done.stdout.splitlines()[-1])) == {"xnai_validate", "xnai_validate.pytest_plugin"}
