"""Runs that repeat: the options, the loop, and what changed from one run to the next."""
