"""Environment variables that set options of `run`, and such that set nothing because they are misspelled."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import fields
from pathlib import Path

from xnai_validate.cli.running.options import PREFIX, RunOptions
from xnai_validate.config.env_file import read_env_file
from xnai_validate.model.suggestions import nearest

_OPTIONS = frozenset(
    f"{PREFIX}{'PROFILE' if field.name == 'profiles' else field.name.upper()}"
    for field in fields(RunOptions)
    if field.name != "path"
)
"""The variables that set an option of `run`."""
_SERVER = ("SERVE_LISTEN", "SERVE_TOKEN_ENV", "SERVE_TLS_CERT", "SERVE_TLS_KEY")
_OTHERS = frozenset(f"{PREFIX}{name}" for name in ("STATE", "PATH", "IMAGE", "JOBS", "EVERY", *_SERVER))
"""Other variables of the tool: its folders, whether it runs from its image, options of `prove`, `watch` and `serve`."""


def unknown_variables(environ: Mapping[str, str]) -> list[str]:
    """Return a sentence for each variable with our prefix that sets nothing."""
    return [
        _describe_unknown(name)
        for name in sorted(environ)
        if name.startswith(PREFIX) and name not in _OPTIONS | _OTHERS
    ]


def _describe_unknown(variable: str) -> str:
    """Describe a variable that sets nothing, with the nearest name."""
    # The prefix, which all have, would make any two of them look alike.
    names = [name.removeprefix(PREFIX) for name in _OPTIONS | _OTHERS]
    guess = nearest(variable.removeprefix(PREFIX), names)
    hint = f'; did you mean "{PREFIX}{guess}"?' if guess else ""
    return f"the environment variable {variable} sets nothing{hint}"


def add_env_files(files: Iterable[Path]) -> None:
    """Set the variables of files in the environment of this process and of those it starts; those that are set stay.

    Raises ConfigError.
    """
    variables: dict[str, str] = {}
    for file in files:
        variables |= read_env_file(file)
    for name, value in variables.items():
        os.environ.setdefault(name, value)


def options_in_environment(environ: Mapping[str, str]) -> str:
    """Return a clause that names the options of `run` that the environment sets; empty if it sets no option."""
    names = [name for name in sorted(_OPTIONS) if name in environ]
    return f"the environment sets {', '.join(names)}" if names else ""


def explain_usage_error(error: BaseException) -> None:
    """Add to a usage error of Typer how to go on, and which options the environment sets."""
    message = getattr(error, "message", None)
    if not isinstance(message, str):
        return
    message = message.removeprefix("Value error, ")
    if getattr(getattr(error, "param", None), "name", None) == "profiles" and not message:
        message = "List the profiles with: xnai-validate list"
    clause = options_in_environment(os.environ)
    error.message = f"{message} ({clause})" if clause else message  # type: ignore[attr-defined]
