"""The quick reading of `run` command lines: what it takes, it takes as Typer does; the rest it leaves alone."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import pytest
from typer.testing import CliRunner

from xnai_validate.cli import run
from xnai_validate.cli.app import app
from xnai_validate.cli.options import RUN
from xnai_validate.cli.quick import parsed

PLAIN = [
    "phase4.1",
    "phase4.1 preflight --demo --layout B",
    "--quiet p --format json -o r.json --output=r.xml",
    "p -j 4 --deadline 5m --wait=60s -x --fail-on warn --fail-on flaky,skip",
    "p --target api=http://127.0.0.1:1/x?a=b --target=redis=redis://h --var a.b=c=d",
    "p --tag a --tag b --skip-tag c --only api/* --allow disruptive --allow-remote --rerun failed --dry-run",
    "p --listen 127.0.0.1:9095",
    "p --color -v --path /tmp --path . --stack s.json --defect a --defect b",
    "p --no-color -q",
    "p --concurrency 512 --only=a:b --record x --baseline=y",
]
OTHER = [
    "",
    "--demo",
    "p --help",
    "p -h",
    "p -qx",
    "p -j4",
    "p -j=4",
    "p -j 0",
    "p -j 513",
    "p -j ٣",
    "p -j",
    "p --layout C",
    "p --layout A --layout B",
    "p --unheard-of",
    "p --dem",
    "p --demo=true",
    "p --wait -1s",
    "p --wait=",
    "p -- --demo",
    "p -",
    "p --quiet --quiet",
]


def by_typer(monkeypatch: pytest.MonkeyPatch, arguments: list[str]) -> Mapping[str, object] | None:
    seen: list[Mapping[str, object]] = []

    def carry_out(values: Mapping[str, object]) -> int:
        seen.append(values)
        return 0

    monkeypatch.setattr(run, "carry_out", carry_out)
    CliRunner().invoke(app, ["run", *arguments])
    return seen[0] if seen else None


@pytest.mark.parametrize("line", PLAIN)
def test_a_plain_line_is_read_as_typer_reads_it(line: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every value is the one that Typer gives, of the same name."""
    arguments = line.split()
    quick = parsed(arguments, {})
    assert quick is not None
    assert quick == by_typer(monkeypatch, arguments)


def test_every_option_is_read_quickly() -> None:
    """No option has been forgotten in the lines above."""
    given = {word.partition("=")[0] for line in PLAIN for word in line.split()}
    assert [option.name for option in RUN if not given & set(option.spellings)] == []


@pytest.mark.parametrize("line", OTHER)
def test_what_is_not_plain_is_left_to_typer(line: str) -> None:
    """Help, mistakes and short forms are not guessed at."""
    assert parsed(line.split(), {}) is None


@pytest.mark.parametrize("name", ["XNAI_VALIDATE_PROFILE", "XNAI_VALIDATE_QUIET", "XNAI_VALIDATE_FAIL_ON"])
def test_values_of_the_environment_are_left_to_typer(name: str) -> None:
    """An option that the environment sets is read where environments are."""
    assert parsed(["p"], {name: "x"}) is None
    assert parsed(["p"], {"XNAI_VALIDATE_PATH": os.getcwd(), "XNAI_VALIDATE_STATE": str(Path.home())}) is not None
