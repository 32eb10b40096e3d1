"""`xnai-validate report`: a stored run, told again in any format."""

from __future__ import annotations

from typing import Annotated

import typer


def command(
    run: Annotated[
        str, typer.Argument(metavar="RUN", help="The id of a run, a journal (.jsonl), a JSON report, or last.")
    ] = "last",
    format_: Annotated[
        str, typer.Option("--format", metavar="NAME", help="What stdout gets, as in run --format.")
    ] = "terminal",
    outputs: Annotated[
        list[str] | None,
        typer.Option("--output", "-o", metavar="FILE", help="Also write it there, as its extension says (repeatable)."),
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Only what is wrong, and the verdict.")] = False,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Every check.")] = False,
    color: Annotated[bool | None, typer.Option("--color/--no-color", help="Colour (default: on a terminal).")] = None,
) -> None:
    """Tell a stored run again, in any format; exits 0 once that is done, whatever the run's verdict was."""
    from xnai_validate.cli.retelling import retell

    raise typer.Exit(retell(run, format_, tuple(outputs or ()), quiet=quiet, verbose=verbose, color=color))
