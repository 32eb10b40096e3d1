"""Checks made of others: what work moves, whether several places say the same, and several steps as one check."""

from xnai_validate.checkers.flow.agree import agree
from xnai_validate.checkers.flow.delta import delta
from xnai_validate.checkers.flow.steps import steps

__all__ = ["agree", "delta", "steps"]
