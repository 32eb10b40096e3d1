"""The lists of profiles, suites and checks, as their files have them."""

from __future__ import annotations

from fnmatch import fnmatchcase

from xnai_validate.config.catalogue import Catalogue, CheckSummary
from xnai_validate.config.options import LoadOptions
from xnai_validate.errors import ConfigError
from xnai_validate.model.suggestions import did_you_mean
from xnai_validate.report.lists import counted
from xnai_validate.report.terminal.page import Page, Span


def add_profiles(page: Page, known: Catalogue) -> None:
    """Add the profiles, each with its title."""
    page.table(
        [
            [(profile.name, "bold"), _title_cell(profile.title, profile.file, profile.bundled)]
            for profile in known.profiles
        ]
    )


def _title_cell(title: str, file: str, bundled: bool) -> Span:
    """Return the title of a file, with its path if it is not bundled."""
    return (title if bundled else f"{title} ({file})", "")


def add_suites(page: Page, known: Catalogue) -> None:
    """Add the suites, each with its number of checks and its title."""
    rows: list[list[Span]] = [
        [
            (suite.name, "bold"),
            (counted(len(suite.checks), "check"), "dim"),
            _title_cell(suite.title, suite.file, suite.bundled),
        ]
        for suite in known.suites
    ]
    page.table(rows, numeric=(1,))


def add_recipes(page: Page, known: Catalogue) -> None:
    """Add the recipes, each with its number of checks and its title."""
    rows: list[list[Span]] = [
        [
            (recipe.name.partition("/")[2], "bold"),
            (counted(len(recipe.checks), "check"), "dim"),
            _title_cell(recipe.title, recipe.file, recipe.bundled),
        ]
        for recipe in known.recipes
    ]
    page.table(rows, numeric=(1,))


def add_checks(page: Page, known: Catalogue, load: LoadOptions) -> None:
    """Add the checks that the filters select. Raises ConfigError if they select no check."""
    page.table([[(check.id, "bold"), (check.title, "")] for check in _selected_checks(known, load)])


def _selected_checks(known: Catalogue, load: LoadOptions) -> list[CheckSummary]:
    """Return the checks that the filters select; raises ConfigError if they select no check."""
    matching = [check for check in known.checks if _is_selected(check, load)]
    if not matching:
        tags = {tag for check in known.checks for tag in check.tags}
        ids = [check.id for check in known.checks]
        hints = [
            *(did_you_mean(tag, tags) for tag in load.tags - tags),
            *(did_you_mean(glob, ids) for glob in load.only),
        ]
        raise ConfigError("no check matches --only and --tag", hint=next(filter(None, hints), None))
    return matching


def _is_selected(check: CheckSummary, load: LoadOptions) -> bool:
    """Whether the options `--only` and `--tag` select a check."""
    names = (check.id, check.id.partition(":")[0], check.category)
    matches = not load.only or any(fnmatchcase(name, glob) for glob in load.only for name in names)
    return matches and (not load.tags or bool(load.tags & set(check.tags)))
