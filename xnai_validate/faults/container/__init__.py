"""Faults of the container of a target: Docker or Podman freezes it, ends it, starts it again."""
