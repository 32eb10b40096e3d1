"""Faults of the process behind a target: it stops running for a while, or ends."""
