"""Faults of the answers of a target: a reverse proxy of our own, in a child process, in front of it."""
