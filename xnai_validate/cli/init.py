"""`xnai-validate init`: look where a stack answers on this host, and write down what was found."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def command(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The handover to write, for run --stack FILE.")] = Path(
        "stack.yaml"
    ),
    target: Annotated[
        list[str] | None, typer.Option(metavar="NAME=URL", help="Where a target is (repeatable).")
    ] = None,
    path: Annotated[
        list[Path] | None, typer.Option(metavar="DIR", help="Search profiles and suites here first (repeatable).")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace a file that is there.")] = False,
) -> None:
    """Find the parts of a stack where profiles/stack.yaml looks for them, and write a handover to correct and keep.

    Only connections are opened and the API is asked for its health; nothing is changed.
    """
    from xnai_validate.cli.surveying import survey

    raise typer.Exit(survey(file, target or (), tuple(path or ()), force=force))
