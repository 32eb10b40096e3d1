"""Faults of the container of a target: Docker or Podman freezes it, ends it, starts it again."""

from xnai_validate.faults.container.pause import Pause
from xnai_validate.faults.container.restart import Restart
from xnai_validate.faults.container.stop import Stop

__all__ = ["Pause", "Restart", "Stop"]
