"""Shards of a run: which part of a plan is run, and the merged report of all parts."""
