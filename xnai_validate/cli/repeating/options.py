"""The options of commands that repeat a run: those of `run`, without what makes sense for a single run only."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated

import typer

from xnai_validate.cli.option_values import duration, parsed_by
from xnai_validate.cli.running.options import PREFIX, Consent, RunOptions
from xnai_validate.config.options import LoadOptions
from xnai_validate.model.json import JsonObject


@dataclass(frozen=True, slots=True, kw_only=True)
class RepeatedOptions(RunOptions):
    """The command line of a command that repeats a run.

    `--allow` is read from the command line only: consent that the environment or a profile gives to a single run must
    not disturb a stack every few minutes.
    """

    allow: Annotated[
        list[Consent] | None,
        typer.Option(
            metavar="WHAT",
            allow_from_autoenv=False,
            show_envvar=False,
            rich_help_panel="Checks",
            help="Allow checks that are 'disruptive' in every run (from the command line only).",
        ),
    ] = None
    dry_run: bool = field(init=False, default=False)
    rerun: None = field(init=False, default=None)
    resume: None = field(init=False, default=None)
    format: str = field(init=False, default="terminal")
    record: None = field(init=False, default=None)

    every: Annotated[
        float,
        typer.Option(
            metavar="TIME",
            parser=parsed_by(duration),
            envvar=f"{PREFIX}EVERY",
            show_envvar=False,
            show_default=False,
            rich_help_panel="Repetition",
            help="Time from the beginning of a run to that of the next, such as 30s, 5m or 1h (default: 5m).",
        ),
    ] = 300.0

    def load_options(
        self, stack: JsonObject | None = None, stack_file: Path | None = None, rerun: frozenset[str] | None = None
    ) -> LoadOptions:
        """Return the load options of `run`, without the consents of profiles."""
        return replace(RunOptions.load_options(self, stack, stack_file, rerun), profile_consent=False)
