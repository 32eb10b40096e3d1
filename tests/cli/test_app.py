"""The list of commands, their help texts, and completion in the shell."""

from __future__ import annotations

import os
import re
from importlib.util import find_spec

import pytest
from typer.testing import CliRunner

from tests.cli.process import finish, start
from xnai_validate.cli import commands
from xnai_validate.cli.app import COMMANDS, app


def help_of(*words: str, columns: int = 80) -> str:
    """Return the help text of a command."""
    code, out, err = finish(start(*words, "--help", COLUMNS=str(columns)))
    assert (code, err) == (0, "")
    return out


def printed_help_of(command: str) -> str:
    """Return the help text of a command at 80 columns, made in this process, which has imported everything."""
    result = CliRunner().invoke(app, [command, "--help"], prog_name="xnai-validate")
    assert (result.exit_code, result.stderr) == (0, "")
    return result.stdout


def test_every_command_is_a_file_of_its_name() -> None:
    """A command that the help lists can be imported, and no file of `commands/` is missing in the list."""
    assert [name for name in COMMANDS if find_spec(f"{commands.__name__}.{name}") is None] == []
    (folder,) = commands.__path__
    files = {entry.removesuffix(".py") for entry in os.listdir(folder) if entry.endswith(".py")}
    assert files - {"__init__"} == set(COMMANDS)


@pytest.mark.parametrize("columns", [52, 80, 120])
def test_the_help_fits_the_terminal(columns: int) -> None:
    """No line is wider than the terminal."""
    assert max(map(len, help_of(columns=columns).splitlines())) <= columns


def test_the_help_has_a_line_for_each_command() -> None:
    """At 80 columns no sentence is wrapped or cut."""
    lines = help_of().partition("Commands:\n")[2].partition("\n\n")[0].splitlines()
    assert [line.split()[0] for line in lines] == list(COMMANDS)
    assert [line for line in lines if not line.endswith(".") or "..." in line] == []


@pytest.mark.parametrize("command", COMMANDS)
def test_the_help_of_a_command_shows_no_types_of_python(command: str) -> None:
    """Arguments and options are named as a person names them, and no line is wider than the terminal."""
    text = printed_help_of(command)
    assert re.findall(r"list\[|<str|<path|<int|[{}]", text) == []
    assert max(map(len, text.splitlines())) <= 80


def test_an_unknown_command_is_2_with_the_nearest() -> None:
    """A misspelled command is a usage error."""
    code, out, err = finish(start("lsit"))
    assert (code, out) == (2, "")
    assert 'unknown command "lsit"; did you mean "list"?' in err


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        ("run pre", ["preflight"]),
        ("run --skip", ["--skip-tag"]),
        ("run phase4.1 --layout ", ["A", "B"]),
        ("list bas", ["baselines"]),
        ("explain redis.pu", ["redis.pubsub"]),
        ("un", ["undo"]),
        ("", list(COMMANDS)),
    ],
)
def test_the_shell_completes_words(words: str, offered: list[str]) -> None:
    """Commands, options, profiles, lists, kinds and checks."""
    typed = f"xnai-validate {words}"
    environment = {"COMP_WORDS": typed, "COMP_CWORD": str(len(words.split(" ")))}
    code, out, err = finish(start(_XNAI_VALIDATE_COMPLETE="complete_bash", **environment))
    assert (code, out.split(), err) == (0, offered, "")
