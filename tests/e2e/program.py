"""The tool with all its modules imported and its models built: what `tests.forking` forks runs of."""

from __future__ import annotations

from importlib import import_module

from xnai_validate import registry
from xnai_validate.cli import main
from xnai_validate.cli.app import COMMANDS
from xnai_validate.config.compile.load import load_plan
from xnai_validate.config.options import LoadOptions

__all__ = ["main"]

for command in COMMANDS:
    import_module(f"xnai_validate.cli.commands.{command}")
for heavy in ("running.session", "listing.plan", "explanation.entries"):
    import_module(f"xnai_validate.cli.{heavy}")
for family in registry.CHECKERS.families():
    registry.CHECKERS.load(family)
for family in registry.FAULTS.families():
    registry.FAULTS.load(family)
load_plan(["phase4"], LoadOptions(without_environment=True))
