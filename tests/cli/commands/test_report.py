"""`report`: a stored run gives the report of the live run."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import Place
from tests.cli.process import finish, fork
from xnai_validate.report.formats.json import parse
from xnai_validate.report.registry import FORMATS


def journal(place: Place) -> Path:
    (path,) = (place.state / "runs").iterdir()
    return path


@pytest.mark.parametrize("name", FORMATS.names())
@pytest.mark.parametrize("profile", ["good", "bad", "odd"])
def test_every_format_is_the_same_byte_for_byte(place: Place, name: str, profile: str) -> None:
    """A stored run is rendered exactly as the live run was, in every format, by id and by file."""
    live = place.run(profile, "--format", name)
    again = place.invoke("report", "--format", name)
    assert again.exit_code == 0, again.output
    assert again.stdout_bytes == live.stdout_bytes
    path = journal(place)
    for run in (path.stem, path.stem[:-3], str(path)):
        assert place.invoke("report", run, "--format", name).stdout_bytes == live.stdout_bytes


def test_a_json_report_is_rendered_in_other_formats(place: Place) -> None:
    """From the document alone; the events of the run are not in it."""
    live = place.run("bad", "-o", "r.json")
    shown = place.invoke("report", "r.json")
    assert [line for line in live.stdout.splitlines() if "written" not in line] == shown.stdout.splitlines()
    assert place.invoke("report", "r.json", "-o", "r.xml").exit_code == 0
    assert "<testsuites" in (place.path / "r.xml").read_text()
    for args in (("--format", "jsonl"), ("-o", "r.jsonl")):
        refused = place.invoke("report", "r.json", *args)
        assert refused.exit_code == 2
        assert "is a report, and has no events" in refused.stderr


def test_a_killed_run_is_reported_as_far_as_it_came(place: Place) -> None:
    """A journal whose last line is torn and that has no end makes a report, which shows that the run was killed."""
    place.run("bad")
    path = journal(place)
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[:-3]) + lines[-3][:20])
    result = place.invoke("report", "--format", "json")
    assert result.exit_code == 0
    found = parse(result.stdout)
    assert (found.run.stopped, found.verdict, found.exit_code) == ("killed", "interrupted", 130)
    assert "INTERRUPTED (exit 130)" in place.invoke("report").stdout
    assert place.invoke("report", "--format", "jsonl").stdout_bytes == b"".join(lines[:-3])


def test_a_run_that_was_really_killed_is_reported(place: Place) -> None:
    """After SIGKILL in the middle of a check the report has what was seen before, and names what was not reached."""
    process = fork("run", "hanging")
    assert place.site.hanging.wait(60)
    process.kill()
    finish(process)
    found = parse(place.invoke("report", "last", "--format", "json").stdout)
    assert [(check.status.value, check.reason) for check in found.checks] == [
        ("pass", None),
        ("skip", "not reached: killed"),
    ]
    assert found.run.stopped == "killed"


def test_quiet_and_verbose_are_as_in_run(place: Place) -> None:
    """The detail is chosen anew."""
    verbose = place.run("bad", "-v")
    assert place.invoke("report", "-v").stdout == verbose.stdout
    assert len(place.invoke("report", "-q").stdout) < len(verbose.stdout)


def test_a_report_on_a_full_disk_is_3(place: Place) -> None:
    """A file that cannot be written is named."""
    place.run("good")
    (place.path / "full.xml").symlink_to("/dev/full")
    full = place.invoke("report", "-o", "full.xml")
    assert full.exit_code == 3
    assert "No space left on device" in full.stderr
