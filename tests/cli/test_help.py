"""The help that is stored: the one that Typer makes, given out without Typer."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.test_process import finish, imported, start
from xnai_validate import cli

STORED = Path(cli.__file__).with_name("help.txt")


def test_the_stored_help_is_that_of_typer() -> None:
    """It names every command; it is made again by: COLUMNS=80 xnai-validate --help > xnai_validate/cli/help.txt."""
    assert finish(start("--help", COLUMNS="80")) == (0, STORED.read_text(encoding="utf-8"), "")


@pytest.mark.parametrize("spelling", ["--help", "-h"])
def test_help_is_answered_from_it(spelling: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where 80 columns are to be had, nothing is imported to give it out."""
    monkeypatch.delenv("COLUMNS", raising=False)
    assert finish(start(spelling)) == (0, STORED.read_text(encoding="utf-8"), "")
    assert "typer" not in imported(spelling)


def test_narrow_help_is_made_to_measure() -> None:
    """In a narrow terminal the help is wrapped to it."""
    code, narrow, _ = finish(start("--help", COLUMNS="52"))
    assert code == 0
    assert max(map(len, narrow.splitlines())) <= 52
    assert narrow.split()
    assert narrow != STORED.read_text(encoding="utf-8")
