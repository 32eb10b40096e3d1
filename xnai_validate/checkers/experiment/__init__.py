"""Experiments: steady, disturbed, reverted, steady again; and what was seen meanwhile."""
