"""Faults of the process behind a target: it stands still, or ends."""
