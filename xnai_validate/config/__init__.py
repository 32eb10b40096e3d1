"""Profiles and suites in YAML, verified and resolved to a plan; `config.catalogue` lists and lints them."""

from xnai_validate.config.compile.load import load_plan
from xnai_validate.config.options import LoadOptions

__all__ = ["LoadOptions", "load_plan"]
