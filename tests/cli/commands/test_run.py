"""`run`: exit codes, what goes where, and which flags do what; against a real server."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from lxml import etree

from tests.cli.conftest import Place
from xnai_validate.model.results.events import from_json
from xnai_validate.model.results.report_builder import build_report
from xnai_validate.report.formats.json import parse

JUNIT = etree.XMLSchema(etree.parse(Path(__file__).parents[2] / "report" / "jenkins-junit.xsd"))


def test_all_passed_is_0(place: Place) -> None:
    """A run in which all passed exits 0, and its report is all of stdout."""
    result = place.run("good")
    assert result.exit_code == 0, result.output
    assert result.stdout.startswith("All is well\n")
    assert result.stdout.rstrip().endswith("PASSED (exit 0): every check passed")
    assert result.stderr == ""


def test_a_failure_is_1_with_how_to_go_on(place: Place) -> None:
    """A failed check exits 1; the report has what was measured, what it blocked, where it is written and the fix."""
    result = place.run("bad")
    assert result.exit_code == 1
    for text in ("expected 200, got 500", "Mend the page.", "site/broken: after (1 check)"):
        assert text in result.stdout
    assert "checks/site/broken.yaml:4" in result.stdout
    assert "1 criterion is not met" in result.stdout
    assert place.site.seen.count("/ok") == 2


def test_errors_in_profiles_are_2_without_a_request(place: Place) -> None:
    """All errors of a profile are reported with their places and carets, on stderr; no request is made."""
    result = place.run("mistaken")
    assert result.exit_code == 2
    assert result.stdout == ""
    assert "profiles/mistaken.yaml:4:14: unknown fact" in result.stderr
    assert 'did you mean "total_ms"?' in result.stderr
    assert "profiles/mistaken.yaml:2:20: the glob" in result.stderr
    assert "2 errors; no check was run" in result.stderr
    assert place.site.seen == []


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (("nosuch",), 'unknown profile "nosuch"'),
        (("good", "--only", "nothing/*"), "matches no check"),
        (("good", "--fail-on", "wanr"), 'did you mean "warn"?'),
        (("good", "--allow", "all"), "disruptive"),
        (("good", "--wait", "60"), "write a number with a unit"),
        (("good", "--deadline", "0s"), "is not more than 0"),
        (("good", "--listen", "9095"), "write HOST:PORT"),
        (("good", "--target", "api"), "NAME=VALUE"),
        (("good", "--target", "apj=http://127.0.0.1:1"), 'did you mean "api"?'),
        (("good", "--target", "api=redis://127.0.0.1:1"), "write http://HOST:PORT"),
        (("profiles/nosuch/good.yaml",), "named without folder and ending"),
        (("good", "--var", "a.b=1"), "unknown var"),
        (("good", "--format", "jnuit"), 'did you mean "junit"?'),
        (("good", "--layout", "B"), "add --demo"),
        (("good", "--defect", "x"), "add --demo"),
        (("good", "--demo", "--defect", "ui-emty"), "unknown defect"),
        (("good", "--stack", "missing.json"), "No such file"),
        (("good", "-q", "-v"), "exclude each other"),
        (("good", "-o", "report.pdf"), "does not show the format"),
        (("good", "-o", "missing/report.json"), "No such file or directory"),
        (("good", "-o", "r.json", "-o", "./r.json"), "two reports"),
        (("good", "-o", "real.json", "-o", "link.json"), "two reports"),
        (("good", "-o", "circle.json"), "Too many levels of symbolic links"),
        (("good", "-o", "checks.json"), "it is a directory"),
        (("good", "--rerun", "failed"), "no earlier run"),
        (("good", "--colour",), "--color"),
        (("good", "-j", "0"), "greater than or equal to 1"),
        ((), "PROFILE"),
    ],
)  # fmt: skip
def test_a_wrong_command_line_is_2(place: Place, args: tuple[str, ...], message: str) -> None:
    """An error of the command line is on stderr and shows how to go on; no request is made."""
    (place.path / "checks.json").mkdir()
    (place.path / "link.json").symlink_to("real.json")
    (place.path / "circle.json").symlink_to("circle.json")
    result = place.run(*args)
    assert result.exit_code == 2, result.output
    assert message in " ".join(result.stderr.split())
    assert result.stdout == ""
    assert "Traceback" not in result.stderr
    assert place.site.seen == []


def test_reports_agree_whatever_their_format(place: Place) -> None:
    """JSON, JUnit and JSON lines of one run agree, and each is valid by its schema."""
    result = place.run("bad", "-o", "r.json", "-o", "r.xml", "-o", "r.jsonl", "-o", "r.txt")
    assert "r.json, r.xml, r.jsonl, r.txt" in result.stdout
    text = (place.path / "r.json").read_text()
    report = parse(text)
    assert (report.exit_code, report.summary.pass_, report.summary.fail, report.summary.skip) == (1, 2, 1, 1)
    assert build_report(map(from_json, (place.path / "r.jsonl").read_text().splitlines())) == report
    junit = etree.parse(place.path / "r.xml")
    JUNIT.assertValid(junit)
    assert junit.getroot().get("failures") == "2"  # the check and the criterion
    assert "FAILED (exit 1)" in (place.path / "r.txt").read_text()
    assert not [path.name for path in place.path.iterdir() if path.name.endswith(".part")]


def test_json_on_stdout_is_one_document(place: Place) -> None:
    """With --format json stdout is the report alone; its exit code is that of the process."""
    result = place.run("bad", "--format", "json", "-v")
    document = json.loads(result.stdout)
    assert document["exit_code"] == result.exit_code == 1
    assert "/4] pass  site/web:up" in result.stderr
    lines = place.run("bad", "--format", "jsonl").stdout.splitlines()
    assert [json.loads(line)["seq"] for line in lines] == list(range(1, len(lines) + 1))


def test_fail_on_makes_warnings_fail(place: Place) -> None:
    """A warning passes, unless --fail-on names it."""
    assert place.run("odd").exit_code == 0
    result = place.run("odd", "--fail-on", "warn,flaky")
    assert result.exit_code == 1
    assert "which --fail-on counts as failures" in result.stdout


def test_the_environment_sets_options(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """XNAI_VALIDATE_ and the name of an option in capitals sets it."""
    monkeypatch.setenv("XNAI_VALIDATE_FAIL_ON", "warn flaky")
    assert place.run("odd").exit_code == 1
    monkeypatch.setenv("XNAI_VALIDATE_FORMAT", "json")
    assert json.loads(place.run("odd").stdout)["exit_code"] == 1


@pytest.mark.parametrize(("name", "value"), [("QUIET", "ja"), ("FAIL_ON", "wran"), ("CONCURRENCY", "many")])
def test_a_wrong_value_in_the_environment_is_2(
    place: Place, monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    """The error of a value that the environment has set names the variable."""
    monkeypatch.setenv(f"XNAI_VALIDATE_{name}", value)
    result = place.run("good")
    assert result.exit_code == 2
    assert f"the environment sets XNAI_VALIDATE_{name}" in " ".join(result.stderr.split())


def test_fail_fast_ends_at_the_first_failure(place: Place) -> None:
    """With -x no check begins after a failure, and criteria are not judged."""
    result = place.run("bad", "-x", "-j", "1", "--only", "site/broken")
    assert result.exit_code == 1
    assert "the run stopped at its first failure" in result.stdout


def test_target_that_does_not_answer_fails_with_its_blocked_checks(place: Place) -> None:
    """A run against a closed port exits 1 with one root cause and the rest blocked under it."""
    result = place.run("good", "--target", "api=http://127.0.0.1:9")
    assert result.exit_code == 1
    assert "refused" in result.stdout
    assert "site/web: json (1 check)" in result.stdout


def test_unknown_hostile_text_reaches_no_terminal(place: Place) -> None:
    """What a server sends is shown as escapes; colour codes are ours alone and only where colour is asked for."""
    threshold = "thresholds:\n  'site/broken:boom': {text: fine}\n"
    profile = place.path / "profiles" / "bad.yaml"
    profile.write_text(profile.read_text() + threshold)
    plain = place.run("bad").stdout
    assert r"[red] \u001b[2J" in plain
    assert "\x1b" not in plain
    assert "\x1b[1;31mFAIL" in place.run("bad", "--color").stdout


def test_verbose_has_every_check_and_quiet_the_failures(place: Place) -> None:
    """-v lists every check; -q leaves what is wrong and the verdict, and writes no notice to stderr."""
    verbose, quiet = place.run("bad", "-v"), place.run("bad", "-q")
    assert re.search(r"^pass +[\d.]+ m?s +The site answers$", verbose.stdout, re.MULTILINE)
    assert "The site answers" not in quiet.stdout
    assert "A broken page is whole" in quiet.stdout
    assert quiet.stderr == ""


def test_deadline_is_5(place: Place) -> None:
    """A run that meets its deadline exits 5 and reports what it saw."""
    result = place.run("hanging", "--deadline", "2s", "--format", "json")
    document = json.loads(result.stdout)
    assert (result.exit_code, document["exit_code"], document["run"]["stopped"]) == (5, 5, "deadline")
    assert [check["status"] for check in document["checks"]] == ["pass", "skip"]
