"""Redis: whether it answers, how it is configured, what its keys and streams hold."""

from xnai_validate.checkers.redis.command import command
from xnai_validate.checkers.redis.info import info
from xnai_validate.checkers.redis.key import key
from xnai_validate.checkers.redis.keys import keys
from xnai_validate.checkers.redis.ping import ping
from xnai_validate.checkers.redis.pubsub import pubsub
from xnai_validate.checkers.redis.roundtrip import roundtrip
from xnai_validate.checkers.redis.stream import stream

__all__ = ["command", "info", "key", "keys", "ping", "pubsub", "roundtrip", "stream"]
