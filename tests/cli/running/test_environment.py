"""Environment variables that set options of `run`."""

from __future__ import annotations

import pytest
from typer.main import get_command
from typer.testing import CliRunner

from xnai_validate.cli.commands.run import app
from xnai_validate.cli.running.environment import options_in_environment, unknown_variables


def test_every_option_has_its_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    """XNAI_VALIDATE_ and the option's name in capitals; but --path, whose variable is a list of folders."""
    for parameter in get_command(app).params:
        long = next((name for name in parameter.opts if name.startswith("--")), "--profile")
        variable = f"XNAI_VALIDATE_{long.removeprefix('--').replace('-', '_').upper()}"
        named = options_in_environment({variable: "1"})
        assert named == ("" if long in ("--path", "--help") else f"the environment sets {variable}")


def test_the_variable_of_a_path_is_no_option(monkeypatch: pytest.MonkeyPatch) -> None:
    """A list of folders between colons is not taken for one folder; a wrong value of an option is an error."""
    monkeypatch.setenv("XNAI_VALIDATE_CONCURRENCY", "many")
    monkeypatch.setenv("XNAI_VALIDATE_PATH", "/a:/b")
    result = CliRunner().invoke(app, ["good"])
    assert result.exit_code == 2
    assert "'--concurrency'" in result.stderr


def test_a_misspelled_variable_is_reported() -> None:
    """A variable with our prefix that sets nothing is named with the nearest one that does."""
    environ = {"XNAI_VALIDATE_FAIL_ONN": "warn", "XNAI_VALIDATE_QUIET": "1", "XNAI_VALIDATE_STATE": "/x", "HOME": "/"}
    assert unknown_variables(environ) == [
        'the environment variable XNAI_VALIDATE_FAIL_ONN sets nothing; did you mean "XNAI_VALIDATE_FAIL_ON"?'
    ]
    assert unknown_variables({"XNAI_VALIDATE_XYZZY": ""}) == [
        "the environment variable XNAI_VALIDATE_XYZZY sets nothing"
    ]
