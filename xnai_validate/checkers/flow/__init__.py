"""Checks made of others: what work moves, whether places say the same, how numbers compare, several steps as one."""

from xnai_validate.checkers.flow.agree import agree
from xnai_validate.checkers.flow.delta import delta
from xnai_validate.checkers.flow.ratio import ratio
from xnai_validate.checkers.flow.steps import steps

__all__ = ["agree", "delta", "ratio", "steps"]
