"""The help that is stored: the one that Typer makes, given out without Typer."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.cli.test_process import finish, imported, start
from xnai_validate import cli
from xnai_validate.cli.options import HEADINGS, RUN

STORED = Path(cli.__file__).with_name("help.txt")
COMMANDS = ("run", "init", "list", "explain", "lint", "report", "compare", "undo", "schema", "demo", "prove")


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


def test_the_list_of_commands_cuts_no_sentence() -> None:
    """At 80 columns every command is told on one line, whole."""
    listed = STORED.read_text(encoding="utf-8").partition("Commands:\n")[2].partition("\n\n")[0].splitlines()
    assert len(listed) == len(COMMANDS)
    assert [line for line in listed if not line.endswith((".", "?")) or "..." in line] == []


@pytest.mark.parametrize("command", COMMANDS)
def test_the_help_of_a_command_speaks_of_no_types_of_python(command: str) -> None:
    """Arguments and options are named as a person names them, and nothing is wider than the terminal."""
    code, said, _ = finish(start(command, "--help", COLUMNS="80"))
    assert code == 0
    assert re.findall(r"list\[|<str|<path|<int|[{}]", said) == []
    assert max(map(len, said.splitlines())) <= 80


def test_the_help_of_run_has_every_option_under_a_heading() -> None:
    """Thirty options in one list are found by nobody."""
    _, said, _ = finish(start("run", "--help", COLUMNS="80"))
    for heading, options in HEADINGS.items():
        section = said.partition(f"\n{heading}:\n")[2].partition("\n\n")[0]
        assert [one.name for one in options if one.spellings[0] not in section] == []
        assert [one.name for one in RUN if one not in options and f"  {one.spellings[0]} " in section] == []


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        ("run pre", ["preflight"]),
        ("run --skip", ["--skip-tag"]),
        ("list bas", ["baselines"]),
        ("explain redis.pu", ["redis.pubsub"]),
        ("un", ["undo"]),
    ],
)
def test_a_shell_completes_what_is_half_typed(words: str, offered: list[str]) -> None:
    """Commands, options, profiles, lists, kinds and checks."""
    typed = f"xnai-validate {words}"
    environment = {"COMP_WORDS": typed, "COMP_CWORD": str(len(typed.split()) - 1)}
    code, said, _ = finish(start(_XNAI_VALIDATE_COMPLETE="complete_bash", **environment))
    assert (code, said.split()) == (0, offered)
