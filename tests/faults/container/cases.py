"""The faults of containers and the target that their tests use."""

from __future__ import annotations

from tests.faults.containers import NAME
from xnai_validate.kit import Target

FAULTS = ("container.pause", "container.stop", "container.restart")


ECHO = Target("echo", container=NAME)
