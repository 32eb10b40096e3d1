"""`xnai-validate run`: measure, judge, report."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from xnai_validate.cli.completing import profiles
from xnai_validate.cli.measuring import carry_out
from xnai_validate.cli.options import HEADINGS, PROFILES, RUN, Option

_TYPES: Mapping[str, Any] = {
    "flag": bool,
    "toggle": bool | None,
    "text": str | None,
    "texts": list[str] | None,
    "number": int | None,
    "path": Path | None,
    "paths": list[Path] | None,
}

_ENUM: Any = StrEnum
"""Its functional form, whose members a type checker cannot know."""


def _parameter(option: Option, heading: str) -> inspect.Parameter:
    """An option as Typer reads it from a signature."""
    kind: Any = _TYPES.get(option.takes)
    if option.takes == "choice":
        kind = _ENUM(option.name.title(), {one: one for one in option.choices}) | None
    spellings = ("/".join(option.spellings),) if option.takes == "toggle" else option.spellings
    said = typer.Option(
        *spellings,
        metavar=option.metavar,
        envvar=option.variable,
        show_envvar=False,
        help=option.help,
        min=option.least,
        max=option.most,
        rich_help_panel=heading,
    )
    default = False if option.takes == "flag" else option.default
    return _keyword(option.name, Annotated[kind, said], default)


def _keyword(name: str, annotation: object, default: object = inspect.Parameter.empty) -> inspect.Parameter:
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation)


def command(**given: Any) -> None:
    """Run the checks of profiles and report what was found.

    Every option can be set by the environment: XNAI_VALIDATE_ and its name in capitals, such as XNAI_VALIDATE_FAIL_ON.
    """  # fmt: skip
    values = {option.name: given[option.name] for option in (PROFILES, *RUN)}
    unset = {option.name: option.unset for option in RUN if values[option.name] is None}
    raise typer.Exit(carry_out({**values, **unset}))


_PROFILES = typer.Argument(
    metavar=PROFILES.metavar,
    help=PROFILES.help,
    envvar=PROFILES.variable,
    show_envvar=False,
    autocompletion=profiles,
)
_OPTIONS = [_parameter(option, heading) for heading, options in HEADINGS.items() for option in options]
_SIGNATURE = inspect.Signature([_keyword(PROFILES.name, Annotated[list[str], _PROFILES]), *_OPTIONS])
command.__signature__ = _SIGNATURE  # type: ignore[attr-defined]
command.__annotations__ = {one.name: one.annotation for one in _SIGNATURE.parameters.values()}
