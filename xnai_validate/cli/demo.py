"""`xnai-validate demo`: the embedded stack, to look at or to run against."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


class LayoutName(StrEnum):
    """Which interfaces the embedded stack speaks."""

    A = "A"
    B = "B"


def command(
    layout: Annotated[LayoutName, typer.Option(help="Which interfaces it speaks.")] = LayoutName.A,
    defect: Annotated[list[str] | None, typer.Option(metavar="NAME", help="Break it in this way (repeatable).")] = None,
    state: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Keep the handover there, up to date while the stack runs.")
    ] = None,
    list_defects: Annotated[bool, typer.Option("--list-defects", help="List the ways to break it, and exit.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing but the handover.")] = False,
) -> None:
    """Start the embedded stack, print its handover as one line of JSON, and stay until Ctrl-C.

    Then, elsewhere: xnai-validate run phase4.1 --stack FILE
    """
    from xnai_validate.cli.demostack import defects, serve

    if list_defects:
        defects()
    else:
        serve(layout.value, tuple(defect or ()), state, quiet=quiet)
