"""The page of the recipes: software, parameters and checks of each."""

from __future__ import annotations

import json
from pathlib import Path

import yaml

from manual.markdown import code, escape, table

RECIPES = Path(__file__).parent.parent / "checks" / "recipes"
INTRO = """\
Suites with parameters, for software that many stacks have. A profile uses one by
`suites: [{recipe: redis, target: cache, with: {ping_ms: 20}}]`; `xnai-validate explain recipes/redis` shows it in the
terminal, and `checks/recipes/NAME.yaml` beside a profile adds one of your own.
"""


def page() -> str:
    """Return the text of the page."""
    parts = ["# Recipes\n", INTRO]
    for path in sorted(RECIPES.glob("*.yaml")):
        recipe = yaml.safe_load(path.read_text(encoding="utf-8"))
        parts += [f"## {path.stem}\n", f"{escape(recipe['title'])}.\n"]
        for key in ("software", "tried"):
            if recipe.get(key):
                parts.append(f"*{key}*: {escape(str(recipe[key]))}\n")
        rows = [
            (code(name), escape(str(param.get("type", ""))), _default(param), escape(str(param.get("doc", ""))))
            for name, param in (recipe.get("params") or {}).items()
        ]
        if rows:
            parts.append(table(("parameter", "type", "default", "meaning"), rows))
        checks = [(code(check["id"]), code(check["kind"]), escape(check["title"])) for check in recipe["checks"]]
        parts.append(table(("check", "kind", "title"), checks))
    return "\n".join(parts)


def _default(param: dict[str, object]) -> str:
    return code(json.dumps(param["default"], ensure_ascii=False)) if param.get("default") is not None else ""
