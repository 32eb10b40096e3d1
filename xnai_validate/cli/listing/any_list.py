"""Chooses a list by its name and prints it. Only what this list needs is imported."""

from __future__ import annotations

import sys

from xnai_validate.cli.terminal.console import print_out
from xnai_validate.cli.terminal.page import new_page
from xnai_validate.config.options import LoadOptions
from xnai_validate.report.terminal.page import Page


def print_list(what: str, load: LoadOptions) -> None:
    """Print a list of `completion.LISTS`, or the checks of the profile `what`. Raises ConfigError."""
    page = new_page(sys.stdout)
    if what in ("runs", "baselines"):
        _add_stored(page, what)
    elif what in ("kinds", "faults"):
        _add_registered(page, what)
    elif what in ("profiles", "suites", "recipes", "checks"):
        _add_written(page, what, load)
    elif what == "promises":
        _add_promises(page, load)
    else:
        from xnai_validate.cli.listing.plan import add_plan

        add_plan(page, what, load)
    print_out(str(page))


def _add_stored(page: Page, what: str) -> None:
    """Add the list of runs or of baselines."""
    from xnai_validate.cli.listing import stored

    if what == "runs":
        stored.add_runs(page)
    else:
        stored.add_baselines(page)


def _add_registered(page: Page, what: str) -> None:
    """Add the list of kinds or of faults."""
    from xnai_validate.cli.listing import kinds

    if what == "kinds":
        kinds.add_kinds(page)
    else:
        kinds.add_faults(page)


def _add_written(page: Page, what: str, load: LoadOptions) -> None:
    """Add the list of what is written in files: profiles, suites, recipes or checks."""
    from xnai_validate.cli.listing import files
    from xnai_validate.config.catalogue import Catalogue

    known = Catalogue(LoadOptions(paths=load.paths))
    if what == "profiles":
        files.add_profiles(page, known)
    elif what == "suites":
        files.add_suites(page, known)
    elif what == "recipes":
        files.add_recipes(page, known)
    else:
        files.add_checks(page, known, load)


def _add_promises(page: Page, load: LoadOptions) -> None:
    """Add the list of promises."""
    from xnai_validate.cli.listing.promises import add_promises
    from xnai_validate.config.catalogue import Catalogue

    add_promises(page, Catalogue(LoadOptions(paths=load.paths)))
