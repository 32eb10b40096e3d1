"""Reads a plain command line of `run` without Typer, whose import takes as long as a hundred checks.

It takes only what it understands beyond doubt. Whatever else there is (help, a mistake, a value from the environment,
short options run together) it leaves to Typer, which then reads the same options and has the words for it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from xnai_validate.cli.options import PROFILES, RUN, Option

_BY_SPELLING = {spelling: option for option in RUN for spelling in option.spellings}


def parsed(arguments: Sequence[str], environ: Mapping[str, str]) -> dict[str, object] | None:
    """The values of all options by name, as Typer gives them; None where Typer should look at it itself."""
    if any(option.variable and option.variable in environ for option in (PROFILES, *RUN)):
        return None
    given: dict[str, list[object]] = {}
    rest = list(reversed(arguments))
    while rest:
        word = rest.pop()
        option, value = _taken(word, rest)
        if option is None or value is None:
            return None
        given.setdefault(option.name, []).append(value)
    values: dict[str, object] = {}
    for option in (PROFILES, *RUN):
        found = given.get(option.name, [])
        repeatable = option.takes in ("texts", "paths")
        if len(found) > 1 and not repeatable:
            return None
        values[option.name] = option.unset if not found else found if repeatable else found[0]
    return values if values[PROFILES.name] else None


def _taken(word: str, rest: list[str]) -> tuple[Option | None, object]:
    """The option that a word begins, with its value, taken from `rest` if need be; None for what is not plain."""
    if not word.startswith("-"):
        return PROFILES, word or None
    spelling, equals, value = word.partition("=")
    option = _BY_SPELLING.get(spelling)
    if option is None or (equals and not spelling.startswith("--")):
        return None, None
    if option.takes in ("flag", "toggle"):
        return option, None if equals else spelling == option.spellings[0] or option.takes == "flag"
    if not equals:
        value = rest.pop() if rest else ""
    return option, None if not value or value.startswith("-") else _converted(option, value)


def _converted(option: Option, value: str) -> object:
    if option.takes in ("path", "paths"):
        return Path(value)
    if option.takes == "choice":
        return value if value in option.choices else None
    if option.takes == "number":
        number = int(value) if value.isascii() and value.isdigit() else -1
        return number if (option.least or 0) <= number <= (option.most or number) else None
    return value
