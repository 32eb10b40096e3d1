"""Faults of the process behind a target: it stands still, or ends."""

from xnai_validate.faults.process.pause import Pause
from xnai_validate.faults.process.stop import Stop

__all__ = ["Pause", "Stop"]
