"""Experiments: steady, disturbed, undone, steady again; and what was seen meanwhile."""
