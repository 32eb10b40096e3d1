"""Faults of the disk under a folder."""
