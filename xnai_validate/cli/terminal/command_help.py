"""Commands as Typer builds them, with a help that groups options by heading and shows no Python types."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Annotated, Any, TypeVar, get_type_hints

import typer
from typer.core import TyperCommand


def command_app() -> typer.Typer:
    """Return the Typer application that a file of `commands/` registers its one command with."""
    return typer.Typer(rich_markup_mode=None, pretty_exceptions_enable=False, add_completion=False)


Options = TypeVar("Options")
SearchPath = Annotated[
    list[Path] | None,
    typer.Option("--path", metavar="DIR", help="Search this folder first for profiles and suites (repeatable)."),
]
"""The option `--path` of the commands that read profiles and suites."""


def takes(options: type[Options]) -> Callable[[Callable[[Options], int]], Callable[..., None]]:
    """Make a command of a function that takes one dataclass and returns the exit code.

    Each field of the dataclass, with its `Annotated[..., typer.Option(...)]`, is an option of the command: Typer reads
    the command's signature, which is that of the dataclass.
    """

    def decorate(work: Callable[[Options], int]) -> Callable[..., None]:
        """Give the function the parameters of the dataclass, which Typer reads from its signature."""

        @wraps(work)
        def command(**values: Any) -> None:
            """Make the options of the given values, run the function, and exit with the code that it returns."""
            raise typer.Exit(work(options(**values)))

        signature = inspect.signature(options)
        # Each annotation is read in the module of the class that declares it, which may be a base class.
        types = get_type_hints(options, include_extras=True)
        parameters = [each.replace(annotation=types[each.name]) for each in signature.parameters.values()]
        command.__signature__ = signature.replace(parameters=parameters)  # type: ignore[attr-defined]
        return command

    return decorate


class Command(TyperCommand):
    """A command whose help lists its options under the heading of each option's `rich_help_panel`."""

    def collect_usage_pieces(self, ctx: typer.Context) -> list[str]:  # type: ignore[override]  # Typer's context
        """Return the parts of the usage line: `[OPTIONS] PROFILE...`."""
        return [piece.replace("{", "").replace("}", "") for piece in super().collect_usage_pieces(ctx)]

    def format_options(self, ctx: typer.Context, formatter: typer.Context) -> None:  # type: ignore[override]
        """Write the arguments, then the options of each heading, at the end those without a heading."""
        sections: dict[str, list[tuple[str, str]]] = {}
        for parameter in self.get_params(ctx):
            record = parameter.get_help_record(ctx)
            if record is None:
                continue
            name, text = record
            if parameter.param_type_name == "argument":
                heading, name = "Arguments", name.partition(" ")[0].strip("{}[].")
                text = text.replace("  [required]", "")
            else:
                heading = getattr(parameter, "rich_help_panel", None) or "Options"
            sections.setdefault(heading, []).append((name, text))
        for heading in sorted(sections, key=lambda title: (title != "Arguments", title == "Options")):
            with formatter.section(heading):  # type: ignore[attr-defined]  # a HelpFormatter, whose module is private
                formatter.write_dl(sections[heading])  # type: ignore[attr-defined]
