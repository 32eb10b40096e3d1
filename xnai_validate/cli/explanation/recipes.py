"""What `explain` prints of a recipe: its software, its parameters and its checks."""

from __future__ import annotations

import json

from xnai_validate.config.catalogue import Catalogue
from xnai_validate.config.compile.recipes import read_params
from xnai_validate.config.files.recipe import ParamEntry
from xnai_validate.config.yaml_files.problems import Problems
from xnai_validate.report.terminal.page import Page, Span


def add_recipe(page: Page, name: str, known: Catalogue) -> None:
    """Add a recipe within reach. Raises `InvalidConfig` if its file has errors."""
    problems = Problems()
    source = known.library.read(known.library.recipes[name])
    params = read_params(source, problems) if source else None
    problems.raise_if_any()
    raw = source.value if source is not None and isinstance(source.value, dict) else {}
    recipe = next(recipe for recipe in known.recipes if recipe.name.partition("/")[2] == name)
    page.text(name, style="bold")
    page.text(recipe.title)
    for key in ("software", "tried"):
        page.text(str(raw.get(key) or ""), indent=12, lead=(f"  {key}", "dim"))
    page.blank()
    page.line(f"    suites: [{{recipe: {name}, target: TARGET}}]", "cyan")
    page.rule("Parameters (with:)")
    if params:
        page.table([_parameter_row(key, param) for key, param in params.items()], indent=2)
    else:
        page.text("none", indent=2)
    page.rule("Checks")
    page.table([[(check.id.partition(":")[2], "bold"), (check.title, "")] for check in recipe.checks], indent=2)


def _parameter_row(name: str, param: ParamEntry) -> list[Span]:
    """Return the row of a parameter: name, type, default and what it is for."""
    default = "" if param.default is None else f", default {json.dumps(param.default, ensure_ascii=False)}"
    return [(name, "bold"), (f"{param.type}{default}. {param.doc}", "")]
