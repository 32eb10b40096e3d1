"""The application: its commands, and what becomes of an error in any of them."""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer
from typer.core import TyperGroup

from xnai_validate import __version__
from xnai_validate.cli import compare, demo, explain, init, lint, prove, report, run, schema, undo
from xnai_validate.cli import list as list_
from xnai_validate.cli.guard import code_of
from xnai_validate.cli.options import in_environment


class Commands(TyperGroup):
    """The group of all commands; errors that leave a command end here."""

    def invoke(self, ctx: typer.Context) -> object:  # type: ignore[override]  # typer's own context, not click's
        """Run the command; whatever it raises becomes a message and an exit code."""
        try:
            result = super().invoke(ctx)
            sys.stdout.flush()
            return result
        except BaseException as error:
            code = code_of(error)
            if code is None:
                _name_environment(error)
                raise
            raise typer.Exit(code) from None


def _name_environment(error: BaseException) -> None:
    """Say in a mistake of the command line what the environment adds to it, since that is easily forgotten."""
    said, given = getattr(error, "message", None), in_environment(os.environ)
    if isinstance(said, str) and given:
        error.message = f"{said} ({given})"  # type: ignore[attr-defined]


app = typer.Typer(
    name="xnai-validate",
    cls=Commands,
    help="Tells whether a RAG stack works together.",
    epilog="Exit codes: 0 passed, 1 failed, 2 a mistake in the command or a profile, 3 undecided, "
    "4 a fault may not be undone, 5 stopped by a limit, 130 interrupted.",
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    add_completion=False,
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(asked: bool) -> None:
    if asked:
        sys.stdout.write(f"xnai-validate {__version__}\n")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", "-V", callback=_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """Tells whether a RAG stack works together."""


app.command("run")(run.command)
app.command("report")(report.command)
app.command("compare")(compare.command)
app.command("list")(list_.command)
app.command("explain")(explain.command)
app.command("lint")(lint.command)
app.command("schema")(schema.command)
app.command("demo")(demo.command)
app.command("init")(init.command)
app.command("prove")(prove.command)
app.command("undo")(undo.command)
