"""`xnai-validate list`: names first, so that a line can be cut at its first space."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from itertools import islice
from pathlib import Path
from typing import Annotated

import typer

from xnai_validate import registry
from xnai_validate.baseline import store
from xnai_validate.cli.terminal import completion, console
from xnai_validate.cli.terminal.command_help import Command, SearchPath, command_app
from xnai_validate.cli.terminal.page import new_page
from xnai_validate.config.catalogue import Catalogue, CheckSummary, catalogue
from xnai_validate.config.compile.load import load_plan
from xnai_validate.config.options import LoadOptions
from xnai_validate.engine.journal import journals, read_journal
from xnai_validate.engine.state_folder import state_dir
from xnai_validate.errors import ConfigError, XnaiError
from xnai_validate.model.results.events import RunStarted
from xnai_validate.model.suggestions import did_you_mean
from xnai_validate.report.terminal.page import Page, Span
from xnai_validate.report.words import counted, listed

app = command_app()


@app.command("list", cls=Command)
def list_(
    what: Annotated[
        str,
        typer.Argument(
            metavar="WHAT",
            help="profiles, suites, checks, promises, kinds, faults, runs, baselines, or the name of a profile.",
            autocompletion=completion.lists,
        ),
    ] = "profiles",
    tag: Annotated[
        list[str] | None, typer.Option(metavar="TAG", help="Only checks with this tag (repeatable).")
    ] = None,
    only: Annotated[
        list[str] | None, typer.Option(metavar="GLOB", help="Only checks whose id matches, e.g. 'api/*' (repeatable).")
    ] = None,
    path: SearchPath = None,
) -> None:
    """List profiles, suites, checks, promises, kinds, faults, runs or baselines; or the checks of a profile."""
    load = LoadOptions(paths=tuple(path or ()), only=tuple(only or ()), tags=frozenset(tag or ()))
    filtered = bool(load.only or load.tags)
    page = new_page(sys.stdout)
    if what in _STORED and not filtered:
        _STORED[what](page)
    else:
        _add_known(page, what, catalogue(LoadOptions(paths=load.paths)), load, filtered=filtered)
    console.print_out(str(page))


def _add_known(page: Page, what: str, known: Catalogue, load: LoadOptions, *, filtered: bool) -> None:
    """Add a list of what can be run. Raises ConfigError for an unknown word, and for filters that do not apply."""
    profiles = [profile.name for profile in known.profiles]
    if what == "checks":
        _checks(page, _matching(known, load))
    elif what in completion.LISTS:
        if filtered:
            raise ConfigError(f"--only and --tag select checks, not {what}", hint="list checks, or list PROFILE")
        _KNOWN[what](page, known)
    elif what.endswith((".yaml", ".yml")) or what in profiles:
        _plan(page, what, load)
    else:
        hint = did_you_mean(what, [*completion.LISTS, *profiles])
        raise ConfigError(f'"{what}" is neither a list nor a profile', hint=hint)


def _profiles(page: Page, known: Catalogue) -> None:
    page.table(
        [[(profile.name, "bold"), _title(profile.title, profile.file, profile.bundled)] for profile in known.profiles]
    )


def _title(title: str, file: str, bundled: bool) -> Span:
    return (title if bundled else f"{title} ({file})", "")


def _suites(page: Page, known: Catalogue) -> None:
    rows: list[list[Span]] = [
        [
            (suite.name, "bold"),
            (counted(len(suite.checks), "check"), "dim"),
            _title(suite.title, suite.file, suite.bundled),
        ]
        for suite in known.suites
    ]
    page.table(rows, numeric=(1,))


def _matching(known: Catalogue, load: LoadOptions) -> list[CheckSummary]:
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
    names = (check.id, check.id.partition(":")[0], check.category)
    matches = not load.only or any(fnmatchcase(name, glob) for glob in load.only for name in names)
    return matches and (not load.tags or bool(load.tags & set(check.tags)))


def _checks(page: Page, checks: Iterable[CheckSummary]) -> None:
    page.table([[(check.id, "bold"), (check.title, "")] for check in checks])


def _promises(page: Page, known: Catalogue) -> None:
    """Add what checks hold a stack to, where it is promised, and the checks that verify it."""
    for promise in known.promises:
        checks = [check.id for check in known.checks if check.promise == promise.id]
        page.text(promise.id, style="bold", right="practice" if promise.practice else "")
        page.text(promise.text, indent=4)
        page.text(promise.source, indent=4, style="dim")
        page.text(listed(checks) if checks else f"no check: {promise.unchecked or 'none verifies it'}", indent=4)


def _kinds(page: Page, known: Catalogue) -> None:
    page.table([[(kind, "bold"), (registry.CHECKERS.get(kind).title, "")] for kind in registry.CHECKERS.names()])


def _faults(page: Page, known: Catalogue) -> None:
    page.table([[(name, "bold"), (registry.FAULTS.get(name).title, "")] for name in registry.FAULTS.names()])


def _plan(page: Page, name: str, load: LoadOptions) -> None:
    """Add the checks of a profile by category."""
    plan = load_plan((name,), load)
    categories = dict.fromkeys(check.info.category for check in plan.checks)
    page.text(plan.title, style="bold")
    for category in categories:
        checks = [check for check in plan.checks if check.info.category == category]
        page.rule(f"{category}: {len(checks)}")
        rows: list[list[Span]] = []
        for check in checks:
            reason = f" (skipped: {check.skip})" if check.skip else ""
            rows.append([(check.id, "cyan"), (check.info.title + reason, "dim" if reason else "")])
        page.table(rows, indent=2)
    page.blank()
    page.text(f"{counted(len(plan.checks), 'check')} in {counted(len(categories), 'category', 'categories')}")


def _runs(page: Page) -> None:
    """Add the stored runs, newest first."""
    paths = journals(state_dir())
    if not paths:
        page.text(f"no run is stored in {state_dir() / 'runs'}")
    page.table([_run(path) for path in reversed(paths)])


def _run(path: Path) -> list[Span]:
    """Return the row of a run; only the first event of its journal is read."""
    try:
        first = next(islice(read_journal(path), 1), None)
    except XnaiError as error:
        return [(path.stem, "bold"), ("", ""), (error.message, "dim")]
    if not isinstance(first, RunStarted):
        return [(path.stem, "bold"), ("", ""), ("its journal has no beginning", "dim")]
    started = f"{datetime.fromtimestamp(first.run.started_at, UTC):%Y-%m-%d %H:%M} UTC"
    checks = f"{' '.join(first.run.profiles)}, {counted(len(first.checks), 'check')}"
    return [(path.stem, "bold"), (started, "dim"), (checks, "")]


def _baselines(page: Page) -> None:
    """Add the stored baselines."""
    state = state_dir()
    names = store.baseline_names(state)
    if not names:
        page.text(f"no baseline is stored in {state / 'baselines'}; record one with: run PROFILE --record NAME")
    page.table([_baseline(name, state) for name in names])


def _baseline(name: str, state: Path) -> list[Span]:
    try:
        baseline = store.load(store.baseline_path(name, state))
    except XnaiError as error:
        return [(name, "bold"), ("", ""), (error.message, "dim")]
    last = baseline.runs[-1]
    figures = counted(sum(check.comparable for check in last.checks.values()), "check")
    text = f"{' '.join(last.fingerprint.profiles)}, {figures} to compare, last {last.started_at}"
    return [(name, "bold"), (counted(len(baseline.runs), "run"), "dim"), (text, "")]


_STORED: dict[str, Callable[[Page], None]] = {"runs": _runs, "baselines": _baselines}
"""The lists of what earlier runs have stored."""
_KNOWN: dict[str, Callable[[Page, Catalogue], None]] = {
    "profiles": _profiles,
    "suites": _suites,
    "promises": _promises,
    "kinds": _kinds,
    "faults": _faults,
}
"""The lists of what can be run, but for `checks`, which takes filters."""
