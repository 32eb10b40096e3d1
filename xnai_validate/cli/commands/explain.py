"""`xnai-validate explain`: a kind of check, a family, a fault or a check in words."""

from __future__ import annotations

from typing import Annotated

import typer

from xnai_validate.cli.terminal import completion
from xnai_validate.cli.terminal.command_help import Command, SearchPath, command_app
from xnai_validate.config.options import LoadOptions

app = command_app()


@app.command(cls=Command)
def explain(
    name: Annotated[
        str,
        typer.Argument(
            metavar="NAME",
            help="A kind (http.request), a family (rag), a fault (redis.pause), a recipe (postgres), or a check's id.",
            autocompletion=completion.explainable_names,
        ),
    ],
    path: SearchPath = None,
) -> None:
    """Explain a kind of check (its parameters, facts and rules), a family of kinds, a fault, a recipe, or one check."""
    from xnai_validate.cli.explanation.entries import print_explanation  # not needed for the help and for completion

    print_explanation(name, LoadOptions(paths=tuple(path or ()), without_environment=True))
