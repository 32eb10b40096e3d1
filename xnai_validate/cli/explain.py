"""`xnai-validate explain`: a kind of check, a fault, or a check, in words."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from xnai_validate.cli.completing import names


def command(
    name: Annotated[
        str,
        typer.Argument(
            metavar="NAME",
            help="A kind such as http.request, a family such as rag, a fault such as redis.pause, or a check.",
            autocompletion=names,
        ),
    ],
    path: Annotated[
        list[Path] | None, typer.Option(metavar="DIR", help="Search profiles and suites here first (repeatable).")
    ] = None,
) -> None:
    """Explain a kind of check (its parameters, facts and rules), a family of kinds, a fault, or one check (its fix)."""
    from xnai_validate.cli.explaining import explaining

    explaining(name, tuple(path or ()))
