"""Health reports, held against what is really so."""

from xnai_validate.checkers.health.truth import truth

__all__ = ["truth"]
