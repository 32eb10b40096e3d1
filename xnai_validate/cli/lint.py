"""`xnai-validate lint`: verify profiles and suites without touching anything."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def command(
    files: Annotated[
        list[str] | None,
        typer.Argument(metavar="PATH", help="Files, folders or names; by default everything within reach."),
    ] = None,
    path: Annotated[
        list[Path] | None, typer.Option(metavar="DIR", help="Search profiles and suites here first (repeatable).")
    ] = None,
) -> None:
    """Verify profiles and suites: kinds, parameters, rules, needs, targets. All mistakes are told; exit 2 if any."""
    from xnai_validate.cli.linting import linting

    linting(tuple(files or ()), tuple(path or ()))
