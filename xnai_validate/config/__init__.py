"""Profiles and suites in YAML, verified and resolved to a plan."""

from xnai_validate.config.catalogue import Catalogue, Linted, catalogue, lint
from xnai_validate.config.load import load_plan
from xnai_validate.config.options import LoadOptions

__all__ = ["Catalogue", "Linted", "LoadOptions", "catalogue", "lint", "load_plan"]
