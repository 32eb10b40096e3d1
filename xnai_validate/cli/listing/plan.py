"""The checks of a profile, by category."""

from __future__ import annotations

from xnai_validate.cli.terminal.completion import LISTS
from xnai_validate.config.compile.load import load_plan
from xnai_validate.config.locate import Library
from xnai_validate.config.options import LoadOptions
from xnai_validate.config.search_path import ENDINGS
from xnai_validate.config.yaml_files.problems import Problems
from xnai_validate.errors import ConfigError
from xnai_validate.model.suggestions import did_you_mean
from xnai_validate.report.lists import counted
from xnai_validate.report.terminal.page import Page, Span


def add_plan(page: Page, name: str, load: LoadOptions) -> None:
    """Add the checks of a profile, by category. Raises ConfigError for an unknown name and for errors in its files."""
    _refuse_unknown(name, load)
    plan = load_plan((name,), load)
    categories = dict.fromkeys(check.info.category for check in plan.checks)
    page.text(plan.title, style="bold")
    for category in categories:
        checks = [check for check in plan.checks if check.info.category == category]
        page.rule(f"{category}: {len(checks)}")
        rows: list[list[Span]] = []
        for check in checks:
            reason = f" (skipped: {check.skip})" if check.skip else ""
            if check.vantage and not reason:
                reason = f" (from {', '.join(check.vantage)})"
            rows.append([(check.id, "cyan"), (check.info.title + reason, "dim" if check.skip else "")])
        page.table(rows, indent=2)
    page.blank()
    page.text(f"{counted(len(plan.checks), 'check')} in {counted(len(categories), 'category', 'categories')}")


def _refuse_unknown(name: str, load: LoadOptions) -> None:
    """Raise ConfigError for a name that is neither a profile nor, as the user may have meant, one of the lists."""
    problems = Problems()
    profiles = Library(load, problems).profiles
    problems.raise_if_any()
    if name not in profiles and not name.endswith(ENDINGS):
        hint = did_you_mean(name, [*LISTS, *profiles]) or f"lists: {', '.join(LISTS)}"
        raise ConfigError(f'"{name}" is neither a list nor a profile', hint=hint)
