"""What `list` prints: names first, so that a line can be cut at its first space."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from fnmatch import fnmatchcase
from pathlib import Path

from xnai_validate.cli import console, history
from xnai_validate.config import LoadOptions
from xnai_validate.config.catalogue import Catalogue, CheckSummary, catalogue
from xnai_validate.errors import ConfigError
from xnai_validate.model.suggestions import did_you_mean
from xnai_validate.report.terminal.page import Page, Span
from xnai_validate.report.words import counted


def listing(what: str, paths: tuple[Path, ...], only: tuple[str, ...], tags: frozenset[str]) -> None:
    """Print the list of `what`; raises ConfigError for an unknown word."""
    out = sys.stdout
    page = Page(console.width(out), console.wants_color(out, None), console.shows_unicode(out))
    options = LoadOptions(paths=paths)
    kept = {"runs": history.runs, "baselines": history.baselines}
    words = ("profiles", "suites", "checks", "kinds", "faults", *kept)
    if what in kept and not only and not tags:
        kept[what](page)
        console.print_out(str(page))
        return
    known = catalogue(options)
    if what in words:
        if (only or tags) and what != "checks":
            raise ConfigError(f"--only and --tag select checks; {what} have none", hint="list checks, or list PROFILE")
        {"profiles": _profiles, "suites": _suites, "kinds": _kinds, "faults": _faults}.get(what, _no)(page, known)
        if what == "checks":
            _checks(page, _matching(known, only, tags))
    elif what.endswith((".yaml", ".yml")) or what in {one.name for one in known.profiles}:
        _plan(page, what, LoadOptions(paths=paths, only=only, tags=tags))
    else:
        names = [*words, *(one.name for one in known.profiles)]
        raise ConfigError(f'nothing to list is named "{what}"', hint=did_you_mean(what, names))
    console.print_out(str(page))


def _no(page: Page, known: Catalogue) -> None:
    """Checks are listed by their filters."""


def _profiles(page: Page, known: Catalogue) -> None:
    page.table([[(one.name, "bold"), _title(one.title, one.file, one.bundled)] for one in known.profiles])


def _title(title: str, file: str, bundled: bool) -> Span:
    return (title if bundled else f"{title} ({file})", "")


def _suites(page: Page, known: Catalogue) -> None:
    rows: list[list[Span]] = [
        [(one.name, "bold"), (counted(len(one.checks), "check"), "dim"), _title(one.title, one.file, one.bundled)]
        for one in known.suites
    ]
    page.table(rows, numeric=(1,))


def _matching(known: Catalogue, only: tuple[str, ...], tags: frozenset[str]) -> list[CheckSummary]:
    """The checks that the filters leave; raises ConfigError where there are none."""
    found = [one for one in known.checks if _selected(one, only, tags)]
    if not found:
        tagged = {tag for one in known.checks for tag in one.tags}
        ids = [one.id for one in known.checks]
        hints = [*(did_you_mean(tag, tagged) for tag in tags - tagged), *(did_you_mean(glob, ids) for glob in only)]
        raise ConfigError("no check matches --only and --tag", hint=next(filter(None, hints), None))
    return found


def _selected(check: CheckSummary, only: tuple[str, ...], tags: frozenset[str]) -> bool:
    forms = (check.id, check.id.partition(":")[0], check.category)
    fits = not only or any(fnmatchcase(form, glob) for glob in only for form in forms)
    return fits and (not tags or bool(tags & set(check.tags)))


def _checks(page: Page, checks: Iterable[CheckSummary]) -> None:
    page.table([[(one.id, "bold"), (one.title, "")] for one in checks])


def _kinds(page: Page, known: Catalogue) -> None:
    from xnai_validate import registry

    page.table([[(kind, "bold"), (registry.CHECKERS.get(kind).title, "")] for kind in registry.CHECKERS.names()])


def _faults(page: Page, known: Catalogue) -> None:
    from xnai_validate import registry

    page.table([[(name, "bold"), (registry.FAULTS.get(name).title, "")] for name in registry.FAULTS.names()])


def _plan(page: Page, name: str, options: LoadOptions) -> None:
    """The checks of a profile by category, as its plan has them."""
    from xnai_validate.config import load_plan

    plan = load_plan((name,), options)
    categories = dict.fromkeys(check.info.category for check in plan.checks)
    page.text(plan.title, style="bold")
    for category in categories:
        of_it = [check for check in plan.checks if check.info.category == category]
        page.rule(f"{category}: {len(of_it)}")
        rows: list[list[Span]] = []
        for check in of_it:
            why = f" (skipped: {check.skip})" if check.skip else ""
            rows.append([(check.id, "cyan"), (check.info.title + why, "dim" if why else "")])
        page.table(rows, indent=2)
    page.blank()
    page.text(f"{counted(len(plan.checks), 'check')} in {counted(len(categories), 'category', 'categories')}")
