"""The golden files: reports as they were last looked at."""

from __future__ import annotations

from tests.report.golden import FOLDER, reports
from tests.report.runs import CASES
from xnai_validate.model.results.report_builder import build_report
from xnai_validate.report.terminal.report import report_text
from xnai_validate.report.view import View


def test_golden_files_are_what_is_rendered() -> None:
    """A report looks as its golden file does; there is a file for each and none without a case."""
    made = dict(reports())
    assert {path.name for path in FOLDER.iterdir()} == set(made)
    for name, text in made.items():
        assert text == (FOLDER / name).read_text(encoding="utf-8"), name


def test_golden_names_carry_the_exit_code() -> None:
    """The exit code in a golden file's name is that of the run, and that in its last line."""
    for case, (code, make) in CASES.items():
        report = build_report(make())
        assert report.exit_code == code, case
        assert f"\n{report.verdict.upper()} (exit {code}): " in report_text(report, View())
