"""The files of `--output`: all of them are verified before a check is run."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest

from tests.cli.conftest import Place
from tests.report.runs import CASES
from xnai_validate.cli.outputs import Outputs
from xnai_validate.errors import ConfigError
from xnai_validate.model.results.report_builder import build_report


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (("a.json", "./a.json"), "two reports would be written to"),
        (("a" * 300 + ".json",), "File name too long"),
        (("a" * 300 + ".jsonl",), "File name too long"),
        (("missing/a.json",), "No such file or directory"),
        (("folder.json",), "it is a directory"),
        (("folder.jsonl",), "it is a directory"),
        (("circle.json",), "symbolic links|symlink"),
        (("a.pdf",), "does not show the format"),
    ],
)
def test_a_file_that_cannot_be_written_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, names: tuple[str, ...], message: str
) -> None:
    """The error names the file; no file is left in the folder."""
    monkeypatch.chdir(tmp_path)
    for folder in ("folder.json", "folder.jsonl"):
        (tmp_path / folder).mkdir()
    (tmp_path / "circle.json").symlink_to("circle.json")
    before = set(tmp_path.iterdir())
    with pytest.raises(ConfigError, match=message):
        Outputs(names)
    assert set(tmp_path.iterdir()) == before


def test_a_device_takes_several_reports(tmp_path: Path) -> None:
    """Links to /dev/null are written in place, as many as are named."""
    names = [str(tmp_path / name) for name in ("a.json", "b.json")]
    for name in names:
        Path(name).symlink_to("/dev/null")
    with Outputs(tuple(names)) as outputs:
        assert [str(output.path) for output in outputs.all] == names
        assert all(output.file is not None for output in outputs.all)


def test_an_existing_report_keeps_its_mode_and_its_link(place: Place) -> None:
    """A report replaces the file that a link names, and keeps its permissions."""
    real = place.path / "real.json"
    real.write_text("old")
    real.chmod(0o640)
    (place.path / "link.json").symlink_to(real)
    place.run("good", "-o", "link.json")
    assert json.loads(real.read_text())["verdict"] == "passed"
    assert (place.path / "link.json").is_symlink()
    assert stat.S_IMODE(real.stat().st_mode) == 0o640


def test_a_run_that_cannot_begin_leaves_the_old_report(place: Place) -> None:
    """If a profile has errors, the report of an earlier run stays as it was, and no file is left beside it."""
    (place.path / "r.json").write_text("old")
    assert place.run("mistaken", "-o", "r.json").exit_code == 2
    assert (place.path / "r.json").read_text() == "old"
    assert sorted(path.name for path in place.path.iterdir()) == ["checks", "profiles", "r.json"]


def test_a_report_that_cannot_be_written_is_3(place: Place) -> None:
    """A full disk costs no verdict: the report names the file, and a run that would have passed exits 3."""
    result = place.run("good", "-o", "fine.json")
    assert result.exit_code == 0
    (place.path / "full.jsonl").symlink_to("/dev/full")
    result = place.run("good", "-o", "full.jsonl")
    assert result.exit_code == 3
    assert "full.jsonl: No space left on device" in " ".join(result.stdout.split())
    failed = place.run("bad", "-o", "full.jsonl")
    assert failed.exit_code == 1


def test_a_format_can_be_named_before_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`markdown:FILE` takes any name; a colon within a name that no format precedes is a part of it."""
    monkeypatch.chdir(tmp_path)
    with Outputs(("markdown:summary", "junit:a.json", "odd:name.md")) as outputs:
        found = [(output.format.name, output.path.name) for output in outputs.all]
    assert found == [("markdown", "summary"), ("junit", "a.json"), ("markdown", "odd:name.md")]


def test_the_summary_of_a_job_is_markdown_and_is_appended_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`-o "$GITHUB_STEP_SUMMARY"`: the file has no extension, and earlier commands of the step have written to it."""
    path = tmp_path / "step_summary_0f"
    path.write_text("before\n", encoding="utf-8")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(path))
    with Outputs((str(path),)) as outputs:
        outputs.all[0].write(build_report(CASES["passed"][1]()))
    assert path.read_text(encoding="utf-8").startswith("before\n## PASSED: Preflight\n")
