"""`xnai-validate list`: names first, so that a line can be cut at its first space."""

from __future__ import annotations

from typing import Annotated

import typer

from xnai_validate.cli.terminal import completion
from xnai_validate.cli.terminal.command_help import Command, SearchPath, command_app
from xnai_validate.cli.uncollected import uncollected
from xnai_validate.config.options import LoadOptions
from xnai_validate.errors import ConfigError

app = command_app()


@app.command("list", cls=Command)
def list_(
    what: Annotated[
        str,
        typer.Argument(
            metavar="WHAT",
            help="profiles, suites, recipes, checks, promises, kinds, faults, runs, baselines, or a profile's name.",
            autocompletion=completion.lists,
        ),
    ] = "profiles",
    tag: Annotated[
        list[str] | None, typer.Option(metavar="TAG", help="Only checks with this tag (repeatable).")
    ] = None,
    only: Annotated[
        list[str] | None, typer.Option(metavar="GLOB", help="Only checks whose id matches, e.g. 'api/*' (repeatable).")
    ] = None,
    path: SearchPath = None,
) -> None:
    """List profiles, suites, recipes, checks, promises, kinds, faults, runs or baselines, or a profile's checks."""
    if (only or tag) and what in completion.LISTS and what != "checks":
        raise ConfigError(f"--only and --tag select checks, not {what}", hint="list checks, or list PROFILE")
    from xnai_validate.cli.listing.any_list import print_list  # not needed for the help and for completion

    load = LoadOptions(
        paths=tuple(path or ()), only=tuple(only or ()), tags=frozenset(tag or ()), without_environment=True
    )
    with uncollected():
        print_list(what, load)
