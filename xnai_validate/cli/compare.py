"""`xnai-validate compare`: whether a later run is worse than an earlier one."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer


class Form(StrEnum):
    """What stdout gets."""

    TERMINAL = "terminal"
    JSON = "json"


_WHAT = "a baseline, the id of a run, last, or a file: baseline, journal (.jsonl), JSON report."


def command(
    before: Annotated[str, typer.Argument(metavar="A", help=f"What was before: {_WHAT}")],
    after: Annotated[str, typer.Argument(metavar="B", help=f"What is held against it: {_WHAT}")],
    form: Annotated[Form, typer.Option("--format", help="What stdout gets.")] = Form.TERMINAL,
    color: Annotated[bool | None, typer.Option("--color/--no-color", help="Colour (default: on a terminal).")] = None,
) -> None:
    """Compare two runs or baselines: exits 0, 1 where B is worse, 3 where nothing can be told.

    Worse is an increase that is no chance (at most 1 % false alarms over all figures) and is large enough to count:
    10 % of p50, 20 % of p99, 5 % of resident memory. One run on either side tells only large changes; record several.
    """
    from xnai_validate.cli.comparing import compared

    raise typer.Exit(compared(before, after, as_json=form is Form.JSON, color=color))
