"""The generated pages of the reference."""

from __future__ import annotations

from collections.abc import Iterator

from manual import commands, faults, files, kinds, outcomes, recipes, rules

INDEX = """\
# Reference

Generated from the registry and the schemas of the code.

| page | lists |
|---|---|
| [Kinds](kinds/index.md) | the types of checks: parameters, facts, default rules |
| [Rules](rules.md) | what may be required of a fact |
| [Faults](faults.md) | the disturbances, with their parameters |
| [Recipes](recipes.md) | ready suites for common software, with their parameters |
| [Files](files.md) | every key of profiles, suites, recipes, vars, stacks and waivers |
| [Command line](commands.md) | every option of every command |
| [Exit codes](exit-codes.md) | what each exit code means |
| [Environment variables](environment.md) | the variables that set options |
"""


def reference() -> Iterator[tuple[str, str]]:
    """Yield the path below `docs/` and the text of each page."""
    yield "reference/index.md", INDEX
    yield from kinds.pages()
    yield "reference/rules.md", rules.page()
    yield "reference/faults.md", faults.page()
    yield "reference/recipes.md", recipes.page()
    yield "reference/files.md", files.page()
    yield "reference/commands.md", commands.page()
    yield "reference/exit-codes.md", outcomes.exit_codes()
    yield "reference/environment.md", outcomes.environment()
