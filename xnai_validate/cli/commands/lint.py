"""`xnai-validate lint`: verify profiles and suites without running a check."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from xnai_validate.cli.terminal.command_help import Command, SearchPath, command_app
from xnai_validate.cli.terminal.console import print_notice, print_out
from xnai_validate.cli.uncollected import uncollected
from xnai_validate.config.lint import lint as lint_files
from xnai_validate.config.options import LoadOptions
from xnai_validate.errors import ConfigError
from xnai_validate.report.lists import counted

app = command_app()


@app.command(cls=Command)
def lint(
    paths: Annotated[
        list[str] | None,
        typer.Argument(metavar="PATH", help="Files, folders or names; by default all that can be found."),
    ] = None,
    path: SearchPath = None,
    waivers: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Accepted failures (default: waivers.yaml beside each profile)."),
    ] = None,
    long: Annotated[bool, typer.Option("--long", help="Accept waivers that end more than a year from now.")] = False,
) -> None:
    """Verify profiles, suites and waivers: kinds, params, rules, needs, targets. Reports all errors; exits 2 if any.

    Waivers that have expired, or match no check, are reported and are not errors.
    """
    files = tuple(file for name in paths or () for file in _files(name))
    load = LoadOptions(paths=tuple(path or ()), waivers=waivers, long_waivers=long, without_environment=True)
    with uncollected():
        linted = lint_files(files, load)
    for sentence in linted.notices:
        print_notice(sentence)
    checks, suites = counted(linted.checks, "check"), counted(linted.suites, "suite")
    print_out(f"{checks} in {suites} and {counted(linted.profiles, 'profile')}: no errors\n")


def _files(name: str) -> Iterator[str]:
    """Yield the YAML files of a folder, or the name itself. Raises ConfigError if the folder has none."""
    folder = Path(name)
    if not os.path.isdir(folder):  # unlike Path.is_dir, false for a name that is too long
        yield name
        return
    files = sorted(str(file) for pattern in ("*.yaml", "*.yml") for file in folder.rglob(pattern))
    if not files:
        raise ConfigError(f"{name} contains no profile and no suite")
    yield from files
