"""The commands that run checks, with their modules imported: what `tests.forking` forks the processes of tests from."""

from __future__ import annotations

from importlib import import_module

from xnai_validate import registry
from xnai_validate.cli import main

__all__ = ["main"]

for module in ("commands.run", "commands.serve", "commands.watch", "running.session"):
    import_module(f"xnai_validate.cli.{module}")
registry.CHECKERS.load("http")
