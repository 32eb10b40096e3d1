"""Faults of a Redis server, by its own commands."""

from xnai_validate.faults.redis.pause import Pause

__all__ = ["Pause"]
