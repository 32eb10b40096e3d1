"""The process behind a target: its state, and whether work makes it grow."""

from xnai_validate.checkers.process.growth import measure_growth
from xnai_validate.checkers.process.state import measure_state

__all__ = ["measure_growth", "measure_state"]
