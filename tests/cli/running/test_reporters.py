"""The reporters that show a run while it goes on."""

from __future__ import annotations

import pytest

from tests.cli.conftest import Place
from tests.report.runs import CASES
from xnai_validate.cli.running.reporters import JsonLineSink, LineSink
from xnai_validate.report.formats.json import parse


def test_a_broken_reporter_is_3_and_the_run_goes_on(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """A reporter that raises is dropped and named at the end; the others see the whole run."""

    def breaks(self: LineSink, event: object) -> None:
        raise ZeroDivisionError("on purpose")

    monkeypatch.setattr(LineSink, "take", breaks)
    result = place.run("good", "-v", "-o", "r.json")
    assert result.exit_code == 3
    assert "log lines: ZeroDivisionError: on purpose" in result.stdout
    assert result.stdout.rstrip().endswith("UNDECIDED (exit 3): a reporter broke; no check failed")
    assert "a reporter broke: log lines" in result.stderr
    assert parse((place.path / "r.json").read_text()).summary.pass_ == 2


def test_json_lines_are_written_as_they_happen(place: Place) -> None:
    """Each event is in the file before the next one comes."""
    path = place.path / "e.jsonl"
    with path.open("w", buffering=1) as file:
        sink = JsonLineSink("e", file.write, file)
        for number, event in enumerate(CASES["passed"][1](), 1):
            sink.take(event)
            assert len(path.read_text().splitlines()) == number
