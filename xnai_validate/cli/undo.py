"""`xnai-validate undo`: take back what a run has left in force."""

from __future__ import annotations

from typing import Annotated

import typer


def command(
    list_: Annotated[bool, typer.Option("--list", help="Only show what may be in force.")] = False,
    run: Annotated[str | None, typer.Option(metavar="ID", help="Only what this run has left.")] = None,
    overdue: Annotated[
        bool, typer.Option("--overdue", help="Only what is in force for too long, though its run still lives.")
    ] = False,
    forget: Annotated[
        list[str] | None,
        typer.Option(
            metavar="ID", help="Drop a record without undoing it: what was disturbed is no more (repeatable)."
        ),
    ] = None,
) -> None:
    """Take back the faults that a run has left in force, and prove it; exits 4 where one may still be in force."""
    from xnai_validate.cli.undoing import forgetting, listing, undoing

    if forget:
        raise typer.Exit(forgetting(tuple(forget)))
    raise typer.Exit(listing() if list_ else undoing(run, overdue))
