"""Faults of a Redis server, by its own commands."""
