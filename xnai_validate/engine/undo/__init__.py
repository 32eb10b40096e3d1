"""Faults of a run: recorded, injected, reverted and proven, also after the process was killed."""
