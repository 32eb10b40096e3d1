"""Faults of a Redis server, by its own commands."""

from xnai_validate.faults.redis.kill_clients import KillClients
from xnai_validate.faults.redis.maxmemory import Maxmemory
from xnai_validate.faults.redis.pause import Pause
from xnai_validate.faults.redis.plant import Plant
from xnai_validate.faults.redis.readonly import Readonly

__all__ = ["KillClients", "Maxmemory", "Pause", "Plant", "Readonly"]
