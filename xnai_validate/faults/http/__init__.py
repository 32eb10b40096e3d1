"""Faults of what a target answers: a reverse proxy of our own, in a child process, stands in front of it."""
