"""`xnai-validate list`: what there is."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from xnai_validate.cli.completing import lists


def command(
    what: Annotated[
        str,
        typer.Argument(
            metavar="WHAT",
            help="profiles, suites, checks, kinds, faults, runs, baselines, or a profile.",
            autocompletion=lists,
        ),
    ] = "profiles",
    tag: Annotated[
        list[str] | None, typer.Option(metavar="TAG", help="Only checks with this tag (repeatable).")
    ] = None,
    only: Annotated[
        list[str] | None, typer.Option(metavar="GLOB", help="Only checks whose id fits, such as 'api/*' (repeatable).")
    ] = None,
    path: Annotated[
        list[Path] | None, typer.Option(metavar="DIR", help="Search profiles and suites here first (repeatable).")
    ] = None,
) -> None:
    """List profiles, suites, checks, kinds, faults, runs or baselines; or the checks of a profile."""
    from xnai_validate.cli.listing import listing

    listing(what, tuple(path or ()), tuple(only or ()), frozenset(tag or ()))
