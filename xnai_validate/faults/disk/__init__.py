"""Faults of the disk under a folder."""

from xnai_validate.faults.disk.full import Full

__all__ = ["Full"]
