"""Shards: a plan divided over the jobs of a CI matrix."""
