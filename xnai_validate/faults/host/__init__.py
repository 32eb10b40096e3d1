"""Faults of the machine that everything runs on."""

from xnai_validate.faults.host.memory import Memory

__all__ = ["Memory"]
